/** A convolution in the blocked layout, and its weight's gradient, compute what they computed before, whatever their geometry. */
import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { buildTrainingStep } from "../../src/autodiff/training-step.ts";
import { blockConvolutions, openBlockedSession } from "../../src/engine/blocked-layout.ts";
import { openSession } from "../../src/engine/session.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { int, ints } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { recomputableValues, recomputeWithin } from "../../src/memory/one-session.ts";
import { orderStep } from "../../src/memory/ordered-step.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { Layers } from "../../src/zoo/_layers.ts";

interface Case {
  readonly channels: number;
  readonly outputs: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly pads?: readonly number[];
  readonly bias?: boolean;
  readonly group?: number;
  readonly batch?: number;
}

function convolution({
  channels,
  outputs,
  kernel = 3,
  stride = 1,
  pads = [1, 1, 1, 1],
  bias,
  group = 1,
  batch = 3,
}: Case) {
  const g = new TypedBuilder("conv");
  g.input("x", "float32", [batch, channels, 9, 7]);
  g.input("w", "float32", [outputs, channels / group, kernel, kernel]);
  const inputs = ["x", "w"];
  if (bias) inputs.push(g.input("b", "float32", [outputs]));
  const attributes = { pads: ints([...pads]), strides: ints([stride, stride]), group: int(group) };
  g.output(g.op("Relu", [g.op("Conv", inputs, attributes)]));
  return g.build();
}

/** The gradient of a convolution's weight, beside the convolution, which is run as well. */
function weightGradient(given: Case) {
  const g = new TypedBuilder(convolution(given));
  const y = g.outputs[0]!;
  const toward = g.input("toward", "float32", g.shape(y.name));
  const loss = g.reduceSum(g.mul(y.name, toward), [0, 1, 2, 3], false);
  for (const gradient of appendGradient(g, loss, ["w"]).values()) g.output(gradient);
  return g.build();
}

/** A stem, a pool and a residual block, all with batch norm. */
function residual() {
  const g = new TypedBuilder("residual");
  const layers = new Layers(g, createRandom(2));
  const stem = layers.convBnRelu("stem", g.input("image", "float32", ["N", 3, 8, 8]), { out: 16, kernel: 3 });
  const x = layers.maxPool("pool", stem, 2);
  const y = layers.convBnRelu("inner", x, { out: 16, kernel: 3 });
  const z = layers.batchNorm("outer/bn", layers.conv("outer", y, { out: 16, kernel: 3 }));
  const sum = layers.relu("relu", g.add(z, x));
  g.output(layers.dense("logits", layers.globalAveragePool("pooled", sum), 5, "nothing"));
  return g.build();
}

const opsOf = (graph: Graph) => graph.nodes.map(({ op, domain }) => `${domain}:${op}`);
const blockedConvolutions = (graph: Graph) =>
  opsOf(blockConvolutions(graph, 16)).filter((op) => op === "com.microsoft.nchwc:Conv").length;

/** The largest error of every output in blocks, relative to the output's largest value out of blocks. */
async function errorInBlocks(graph: Graph): Promise<number> {
  const random = createRandom(4);
  const feeds = new Map(
    graph.inputs.map(({ name, shape }) => {
      const value = tensor("float32", shape as readonly number[]);
      for (let i = 0; i < value.data.length; i++) value.data[i] = random.normal();
      return [name, value];
    }),
  );
  const [plain, blocked] = [await openSession(graph), await openBlockedSession(encodeModel(graph), {})];
  const [expected, found] = [await plain.run(feeds), await blocked.run(feeds)];
  const errors = [...expected].map(([name, value]) => {
    const numbers = toNumbers(value);
    const others = toNumbers(found.get(name)!);
    const scale = Math.max(...numbers.map(Math.abs));
    expect(scale).toBeGreaterThan(0);
    return Math.max(...numbers.map((x, i) => Math.abs(x - others[i]!))) / scale;
  });
  return Math.max(...errors);
}

describe("the blocked layout", () => {
  const cases: readonly Case[] = [
    { channels: 16, outputs: 32 },
    { channels: 64, outputs: 16, stride: 2, pads: [0, 1, 1, 0] },
    { channels: 32, outputs: 48, kernel: 5, pads: [2, 2, 2, 2], bias: true },
  ];
  it.each(cases)("computes the same: $channels to $outputs channels, kernel $kernel", async (given) => {
    expect(await errorInBlocks(convolution(given))).toBeLessThan(1e-5);
  });

  const gradients: readonly Case[] = [
    { channels: 16, outputs: 16 },
    { channels: 48, outputs: 32 },
    { channels: 5, outputs: 16, kernel: 5, pads: [2, 2, 2, 2] },
    { channels: 32, outputs: 16, stride: 2, pads: [0, 1, 1, 0] },
    { channels: 32, outputs: 16, pads: [0, 0, 0, 0] },
    { channels: 6, outputs: 32, group: 2 },
    { channels: 16, outputs: 16, batch: 32 },
  ];
  it.each(gradients)("sums the same gradient: $channels to $outputs channels", async (given) => {
    const graph = weightGradient(given);
    expect(blockedConvolutions(graph)).toBeGreaterThan(blockedConvolutions(convolution(given)));
    expect(await errorInBlocks(graph)).toBeLessThan(1e-5);
  });

  it("leaves a gradient whose samples are more than a block and no whole blocks", async () => {
    for (const given of [
      { channels: 16, outputs: 16, batch: 24 },
      { channels: 6, outputs: 32, group: 2, batch: 9 },
    ]) {
      const graph = weightGradient(given);
      expect(blockedConvolutions(graph)).toBe(blockedConvolutions(convolution(given)));
      expect(await errorInBlocks(graph)).toBeLessThan(1e-5);
    }
  });

  it("trains residual blocks and pools in blocks from end to end", async () => {
    const net = residual();
    const step = buildTrainingStep(net, {
      batch: 4,
      classes: 5,
      imageShape: [3, 8, 8],
      optimizer: trainingSchema.parse({}),
      objective: { terms: [] },
    });
    const blocked = opsOf(blockConvolutions(step.graph, 16));
    const count = (op: string) => blocked.filter((other) => other === op).length;
    // Three forward, the gradients of two images and three weights, and scaled channels both ways.
    expect(count("com.microsoft.nchwc:Conv")).toBeGreaterThan(11);
    expect(count(":BatchNormalization")).toBe(0);
    expect(count("com.microsoft.nchwc:ReorderInput")).toBeLessThan(3);
    expect(await errorInBlocks(step.graph)).toBeLessThan(1e-3);
  });

  it("sums up a batch's statistics once where a normalization runs twice", async () => {
    const graph = residual();
    const step = buildTrainingStep(graph, {
      batch: 128,
      classes: 5,
      imageShape: [3, 8, 8],
      optimizer: trainingSchema.parse({}),
      objective: { terms: [] },
    });
    const ordered = orderStep(step);
    const isNormal = (name: string) => ordered.nodes[ordered.writtenAt.get(name)!]!.op !== "Conv";
    const again = recomputeWithin(ordered, new Set(recomputableValues(ordered).filter(isNormal)));
    const means = ({ graph }: typeof ordered) =>
      opsOf(blockConvolutions(graph, 8)).filter((op) => op === "com.microsoft.nchwc:GlobalAveragePool").length;
    expect(again.recomputed.map(({ op }) => op)).toContain("BatchNormalization");
    expect(means(again.step)).toBe(means(ordered));
  });

  it("takes what its blocks fit, and nothing else", () => {
    expect(blockedConvolutions(convolution({ channels: 16, outputs: 32 }))).toBe(1);
    for (const other of [
      { channels: 3, outputs: 32 },
      { channels: 16, outputs: 10 },
      { channels: 16, outputs: 16, kernel: 1, pads: [0, 0, 0, 0] },
      { channels: 32, outputs: 32, group: 2 },
    ]) {
      const graph = convolution(other);
      expect(blockConvolutions(graph, 16)).toBe(graph);
    }
  });
});
