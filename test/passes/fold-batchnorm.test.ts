import { describe, expect, it } from "vitest";
import { type Attributes, float, int, ints, string } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { foldBatchnorm, runPass, simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { expectSameOutputs } from "./same-outputs.ts";

const random = createRandom(9);
function normal(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorOf(
    "float32",
    shape,
    Array.from({ length: size }, () => random.normal()),
  );
}
const ops = (graph: Graph) => graph.nodes.map((node) => node.op);

function batchnorm(g: TypedBuilder, x: string, shift = true): string {
  const channels = g.shape(x)[1]!;
  const positive = tensorOf(
    "float32",
    [channels],
    Array.from({ length: channels }, () => 0.5 + random.uniform()),
  );
  const zero = tensorOf("float32", [channels], new Float64Array(channels));
  const vectors = [normal(channels), shift ? normal(channels) : zero, shift ? normal(channels) : zero, positive];
  return g.op("BatchNormalization", [x, ...vectors.map((v) => g.initializer("bn", v))], { epsilon: float(0.01) });
}

interface Case {
  readonly op: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly bias?: readonly number[];
  readonly attributes?: Attributes;
}

function linear(g: TypedBuilder, x: string, { op, w, bias, attributes = {} }: Case): string {
  const inputs = [x, g.initializer("w", normal(...w)), ...(bias ? [g.initializer("b", normal(...bias))] : [])];
  return g.op(op, inputs, attributes, { name: "linear" });
}

function net(shape: readonly number[], write: (g: TypedBuilder) => string): Graph {
  const g = new TypedBuilder("net");
  g.input("x", "float32", shape);
  g.output(write(g));
  return g.build();
}

const convs: readonly Case[] = [
  { op: "Conv", x: [2, 3, 5, 6], w: [4, 3, 3, 2] },
  { op: "Conv", x: [1, 4, 6, 5], w: [6, 2, 3, 3], bias: [6], attributes: { group: int(2), strides: ints([2, 1]) } },
  { op: "Conv", x: [2, 3, 5, 5], w: [6, 1, 2, 3], bias: [6], attributes: { group: int(3) } },
  { op: "Conv", x: [2, 3, 7], w: [4, 3, 3], attributes: { auto_pad: string("VALID") } },
];
const gemms: readonly Case[] = [
  { op: "Gemm", x: [2, 5], w: [5, 3], bias: [3] },
  { op: "Gemm", x: [2, 5], w: [3, 5], attributes: { transB: int(1), alpha: float(0.5) } },
  { op: "Gemm", x: [2, 5], w: [5, 3], bias: [1], attributes: { alpha: float(-2), beta: float(3) } },
  { op: "Gemm", x: [2, 5], w: [5, 3], bias: [1, 3], attributes: { beta: float(0.25) } },
];
const others: readonly Case[] = [
  { op: "Conv", x: [2, 3, 5, 5], w: [4, 3, 3, 3], bias: [4], attributes: { pads: ints([1, 1, 1, 1]) } },
  { op: "ConvTranspose", x: [2, 3, 4, 5], w: [3, 4, 3, 2], attributes: { strides: ints([2, 2]) } },
  { op: "ConvTranspose", x: [1, 4, 3, 3], w: [4, 3, 2, 2], bias: [6], attributes: { group: int(2) } },
  { op: "Gemm", x: [5, 2], w: [5, 3], bias: [3], attributes: { transA: int(1) } },
];
const label = ({ op, w, attributes = {} }: Case) => `${op} [${w}] ${Object.keys(attributes)}`;

describe("fold-batchnorm", () => {
  it.each([...convs, ...gemms, ...others].map((given) => [label(given), given] as const))("behind %s", (_, given) => {
    const graph = net(given.x, (g) => batchnorm(g, linear(g, "x", given)));
    const { graph: after, changes } = runPass(foldBatchnorm, graph);
    expect(ops(after)).toEqual([given.op]);
    expect(changes).toEqual([`BatchNormalization 'batchnormalization' was folded into ${given.op} 'linear'`]);
    expectSameOutputs(graph, after, 1e-6);
  });

  it.each([...convs, ...gemms].map((given) => [label(given), given] as const))("before %s", (_, given) => {
    const graph = net(given.x, (g) => linear(g, batchnorm(g, "x"), given));
    const { graph: after } = runPass(foldBatchnorm, graph);
    expect(ops(after)).toEqual([given.op]);
    expectSameOutputs(graph, after, 1e-6);
  });

  it("one before and one behind, in one run", () => {
    const graph = net([2, 3, 5, 6], (g) => batchnorm(g, linear(g, batchnorm(g, "x"), convs[0]!)));
    const { graph: after, changes } = runPass(foldBatchnorm, graph);
    expect(changes).toHaveLength(2);
    expect(ops(after)).toEqual(["Conv"]);
    expectSameOutputs(graph, after, 1e-6);
  });

  it("before a padded Conv or a ConvTranspose only where nothing is added", () => {
    for (const given of others.slice(0, 3)) {
      const shifted = net(given.x, (g) => linear(g, batchnorm(g, "x"), given));
      expect(foldBatchnorm.apply(shifted).changes).toEqual([]);
      const unshifted = net(given.x, (g) => linear(g, batchnorm(g, "x", false), given));
      const { graph: after } = runPass(foldBatchnorm, unshifted);
      expect(ops(after)).toEqual([given.op]);
      expectSameOutputs(unshifted, after, 1e-6);
    }
  });

  const refusals: readonly [string, (g: TypedBuilder) => string, string][] = [
    ["padding", (g) => linear(g, batchnorm(g, "x"), others[0]!), "it stands before Conv 'linear', and it is padded"],
    [
      "borders",
      (g) => linear(g, batchnorm(g, "x"), { op: "ConvTranspose", x: [], w: [3, 4, 2, 2] }),
      "the borders of a ConvTranspose see fewer weights",
    ],
    ["no neighbour", (g) => batchnorm(g, g.op("Relu", ["x"])), "no Conv, ConvTranspose or Gemm stands beside it"],
    [
      "another reader",
      (g) => {
        const y = linear(g, "x", convs[0]!);
        return g.add(batchnorm(g, y), y);
      },
      "Add 'add' reads 'linear' too",
    ],
    [
      "shared weights",
      (g) => {
        const w = g.initializer("w", normal(3, 3, 1, 1));
        return g.op("Conv", [batchnorm(g, g.op("Conv", ["x", w])), w]);
      },
      "the weight of Conv 'conv' is shared with Conv 'conv_1'",
    ],
    [
      "computed weights",
      (g) => batchnorm(g, g.op("Conv", ["x", g.neg(g.initializer("w", normal(3, 3, 1, 1)))], {}, { name: "c" })),
      "the weight of Conv 'c' is no constant",
    ],
    [
      "training mode",
      (g) => {
        const vectors = Array.from({ length: 4 }, () => g.initializer("v", normal(4)));
        return g.op("BatchNormalization", [linear(g, "x", convs[0]!), ...vectors], { training_mode: int(1) });
      },
      "it is in training mode",
    ],
  ];
  it.each(refusals)("refuses and says why: %s", (_, write, reason) => {
    const { changes, skipped } = runPass(foldBatchnorm, net([2, 3, 6, 6], write));
    expect(changes).toEqual([]);
    expect(skipped.map((entry) => entry.reason).join()).toContain(reason);
  });

  it("refuses where the graph shows the value in between", () => {
    const g = new TypedBuilder("net");
    g.input("x", "float32", [2, 3, 5, 6]);
    const y = linear(g, "x", convs[0]!);
    g.output(y);
    g.output(batchnorm(g, y));
    expect(runPass(foldBatchnorm, g.build()).skipped[0]?.reason).toBe("'linear' is an output of the graph");
  });

  it("a bias that others read is not overwritten", () => {
    const graph = net([2, 3, 4, 4], (g) => {
      const [w, b] = [g.initializer("w", normal(3, 3, 1, 1)), g.initializer("b", normal(3))];
      return g.op("Conv", [batchnorm(g, g.op("Conv", ["x", w, b])), g.initializer("w", normal(3, 3, 1, 1)), b]);
    });
    const { graph: after } = runPass(foldBatchnorm, graph);
    expect(ops(after)).toEqual(["Conv", "Conv"]);
    expectSameOutputs(graph, after, 1e-6);
  });
});

describe.skipIf(!haveSharedModels)(`published models ${needsShared}`, () => {
  it.each([
    ["cifar10_distiller_resnet20_dense", 21],
    ["cifar10_resnet32", 31],
    ["mlperftiny_resnet8_cifar10", 7],
    ["emotion_mini_xception_fer2013", 14],
  ])("%s loses its %i normalizations", async (name, count) => {
    const graph = await sharedModel(name);
    const { graph: after, changes } = simplify(graph);
    expect(ops(graph).filter((op) => op === "BatchNormalization")).toHaveLength(count);
    expect(ops(after)).not.toContain("BatchNormalization");
    expect(changes.filter((change) => change.includes("was folded into"))).toHaveLength(count);
    expectSameOutputs(graph, after, 2e-6, 1);
  });

  it.each(["mnist-8", "squeezenet_v1.1"])("%s keeps its outputs", async (name) => {
    const graph = await sharedModel(name);
    const after = simplify(graph).graph;
    expect(after.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
    expect(after.outputs.map((output) => output.name)).toEqual(graph.outputs.map((output) => output.name));
    if (name === "mnist-8") expectSameOutputs(graph, after, 1e-6);
  });
});
