import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { openDataset } from "../../src/data/index.ts";
import { evaluateModel } from "../../src/engine/evaluate.ts";
import { createSamples } from "../../src/engine/samples.ts";
import { consumers, type Graph, producers } from "../../src/graph/graph.ts";
import { equalize } from "../../src/methods/_int8-equalize.ts";
import { chooseRange, type Statistics, scaleOf } from "../../src/methods/_int8-ranges.ts";
import { findMethod } from "../../src/methods/index.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { simplify } from "../../src/passes/index.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { Net } from "../analysis/nets.ts";
import { expectSameOutputs } from "../passes/same-outputs.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { classes, fixtureBatch, fixtureContext, fixtureSamples, fixtures } from "./fixtures.ts";

const method = findMethod("quantize-int8");
const quantize = (graph: Graph, given: Readonly<Record<string, unknown>> = {}) =>
  method.apply(graph, method.params.parse(given), fixtureContext());

/** How often each operator stands in the graph that onnxruntime makes of a model. */
async function kernels(graph: Graph): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), "netpare-int8-"));
  try {
    const optimizedModelFilePath = join(folder, "optimized.onnx");
    const session = await InferenceSession.create(encodeModel(graph), {
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      optimizedModelFilePath,
    });
    await session.release();
    const counts: Record<string, number> = {};
    for (const { op } of decodeModel(await readFile(optimizedModelFilePath)).nodes) counts[op] = (counts[op] ?? 0) + 1;
    return counts;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("the kernels onnxruntime makes of the result", () => {
  const expected: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    residual: { QLinearConv: 3, QLinearAdd: 1, QLinearGlobalAveragePool: 1, QGemm: 1, Flatten: 1 },
    shortcut: { QLinearConv: 3, QLinearAdd: 1, Slice: 1, Pad: 1, QLinearGlobalAveragePool: 1, QGemm: 1, Flatten: 1 },
    // The last pool writes the scores, which are averaged and turned into probabilities in float.
    fire: {
      QLinearConv: 5,
      NhwcMaxPool: 1,
      Concat: 1,
      DequantizeLinear: 1,
      GlobalAveragePool: 1,
      Flatten: 1,
      Softmax: 1,
    },
    depthwise: { QLinearConv: 3, QLinearAveragePool: 1, Reshape: 1, QGemm: 2 },
    // The two normalizations are depthwise convolutions.
    dense: { QLinearConv: 5, Concat: 1, QLinearLeakyRelu: 1, QLinearGlobalAveragePool: 1, QGemm: 1, Flatten: 1 },
  };
  for (const [name, counts] of Object.entries(expected))
    it(`are integer kernels: ${name}`, async () => {
      const { Transpose: _, ...found } = await kernels((await quantize(fixtures[name]!())).graph);
      expect(found).toEqual({ QuantizeLinear: 1, ...counts });
    });
});

describe("quantize-int8", () => {
  it("rounds weights by half a step at most, with a scale a channel", async () => {
    const before = simplify(fixtures.residual!()).graph;
    const { graph } = await quantize(before);
    const writer = producers(graph);
    for (const conv of before.nodes.filter((node) => node.op === "Conv")) {
      const exact = toNumbers(before.initializers.get(conv.inputs[1]!)!);
      const [held, scaleName] = writer.get(graph.nodes.find(({ name }) => name === conv.name)!.inputs[1]!)!.inputs;
      const levels = graph.initializers.get(held!)!;
      const scales = toNumbers(graph.initializers.get(scaleName!)!);
      expect(levels.dtype).toBe("int8");
      expect(scales.length).toBe(levels.shape[0]);
      const each = exact.length / scales.length;
      exact.forEach((w, i) => {
        const scale = scales[Math.floor(i / each)]!;
        expect(Math.abs(Number(levels.data[i]) * scale - w)).toBeLessThanOrEqual(scale * 0.5001);
      });
    }
  });

  for (const [name, build] of Object.entries(fixtures))
    it(`${name}: answers like the original`, async () => {
      const graph = build();
      const feeds = new Map([[graph.inputs[0]!.name, fixtureBatch()]]);
      const run = (g: Graph) => toNumbers(evaluateGraph(g, feeds).get(g.outputs[0]!.name)!);
      const exact = run(graph);
      const got = run((await quantize(graph)).graph);
      const power = exact.reduce((sum, y) => sum + y * y, 0);
      const noise = exact.reduce((sum, y, i) => sum + (y - got[i]!) ** 2, 0);
      expect(noise / power).toBeLessThan(0.01);
    });

  it("leaves named layers in float and lists them", async () => {
    const { graph, skipped } = await quantize(fixtures.residual!(), { keepFloat: ["inn.*"] });
    expect(skipped).toEqual([{ node: "inner", reason: "kept in float as asked" }]);
    expect(await kernels(graph)).toMatchObject({ QLinearConv: 2, QGemm: 1, QuantizeLinear: 2 });
  });

  it("names a pattern that fits no layer", async () => {
    await expect(quantize(fixtures.residual!(), { keepFloat: ["nothing"] })).rejects.toThrow(
      "keepFloat: 'nothing' names no layer of the model",
    );
  });

  it("wants data", async () => {
    const context = { ...fixtureContext(), samples: undefined };
    await expect(method.apply(fixtures.fire!(), method.params.parse({}), context)).rejects.toThrow("--data");
  });

  it("lists layers without an integer kernel", async () => {
    const net = new Net(["N", 3, 12, 12]);
    const wide = net.g.op(
      "ConvTranspose",
      [net.conv("stem", "x", 4, 3), net.weight("up.w", 4, 2, 2, 2)],
      {},
      { name: "up" },
    );
    const pooled = net.op("Flatten", [net.op("GlobalAveragePool", [wide])]);
    const { skipped } = await quantize(net.done(net.dense("head", pooled, classes)));
    expect(skipped).toEqual([{ node: "up", reason: "onnxruntime has no integer kernel for ConvTranspose" }]);
  });

  it("takes the mean error of rounded weights off the biases", async () => {
    const net = new Net(["N", 3, 12, 12]);
    const graph = net.done(net.op("GlobalAveragePool", [net.conv("only", net.relu("x"), 16, 3)]));
    const samples = fixtureSamples();
    const meanError = async (biasCorrection: boolean) => {
      const { graph: small } = await quantize(graph, { biasCorrection, reduceRange: true, calibration: "minmax" });
      const sums = new Float64Array(16);
      for (const [of, sign] of [
        [small, 1],
        [graph, -1],
      ] as const)
        await samples.run(of, (outputs) => {
          toNumbers(outputs.get(graph.outputs[0]!.name)!).forEach((y, i) => {
            sums[i % 16]! += sign * y;
          });
        });
      return Math.hypot(...sums) / samples.count;
    };
    expect(await meanError(true)).toBeLessThan(0.3 * (await meanError(false)));
  });

  it("shares one zero point and one scale where values do", async () => {
    const { graph } = await quantize(fixtures.fire!());
    const readers = consumers(graph);
    const joined = graph.nodes.find((node) => node.op === "Concat")!;
    const scaleOfValue = (value: string) => producers(graph).get(value)!.inputs[1];
    const scales = new Set(joined.inputs.map(scaleOfValue));
    const [dequantized] = readers.get(joined.outputs[0]!)!;
    expect(scales).toEqual(new Set([dequantized!.inputs[1]]));
    const bytes = [...graph.initializers.values()].filter((t) => t.dtype === "uint8");
    expect(new Set(bytes.map((t) => String(t.data))).size).toBe(bytes.length);
  });

  it("finds the layer that 8 bits hurt and leaves it in float", async () => {
    const graph = spoiltNet();
    const samples = fixtureSamples();
    const plain = await quantize(graph);
    expect(await samples.accuracy(graph)).toBe(1);
    expect(await samples.accuracy(plain.graph)).toBeLessThan(0.5);
    const { graph: mixed, skipped } = await quantize(graph, { sensitivity: 2 });
    expect(skipped.map(({ node }) => node)).toEqual(["spoilt"]);
    expect(await samples.accuracy(mixed)).toBe(1);
    expect(await kernels(mixed)).toMatchObject({ QLinearConv: 1 });
  });
});

/** Tells the classes by their colours. In `spoilt`, a large weight on a channel that is always 0 leaves no level to the others. */
function spoiltNet(): Graph {
  const net = new Net(["N", 3, 12, 12]);
  const set = (name: string, shape: readonly number[], values: readonly number[]) =>
    net.g.initializers.set(name, tensorOf("float32", shape, values));
  const stem = net.conv("stem", "x", 4);
  set("stem.w", [4, 3, 1, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  set("stem.b", [4], [0, 0, 0, 0]);
  const spoilt = net.conv("spoilt", stem, 2);
  set("spoilt.w", [2, 4, 1, 1], [1, 0, 0, 1e4, 0, 1, 0, 1e4]);
  set("spoilt.b", [2], [0, 0]);
  const pooled = net.op("Flatten", [net.op("GlobalAveragePool", [spoilt])]);
  const head = net.dense("head", pooled, classes);
  set("head.w", [2, 4], [-1, 1, -1, 1, -1, -1, 1, 1]);
  set("head.b", [4], [0, 0, 0, 0]);
  return net.done(head);
}

describe("equalize", () => {
  it("changes the weights of both layers and not the network", () => {
    const graph = simplify(fixtures.depthwise!()).graph;
    const net = new Net(["N", 3, 8, 8]);
    const a = net.relu(net.conv("a", "x", 6, 3));
    const b = net.relu(net.conv("b", a, 6, 3, { group: 6 }));
    const chain = net.done(net.conv("c", b, 4));
    const even = equalize(chain);
    expect(even.pairs).toBe(2);
    expectSameOutputs(chain, even.graph, 1e-5);
    expect(even.graph.initializers.get("a.w")).not.toEqual(chain.initializers.get("a.w"));
    // Relu6 does not scale.
    expect(equalize(graph)).toEqual({ graph, pairs: 0 });
  });
});

describe("ranges", () => {
  const statistics = (low: number, high: number, counts: (i: number) => number): Statistics => ({
    low,
    high,
    histogram: Float64Array.from({ length: 2048 }, (_, i) => counts(i)),
  });
  /** Half of a normal distribution up to 8 σ, one value of a hundred thousand beyond 5 σ. */
  const normal = statistics(
    0,
    8,
    (i) => Math.round(1e6 * Math.exp(-0.5 * ((i + 0.5) / 256) ** 2)) + (i === 2047 ? 1 : 0),
  );

  it("minmax spans all", () => {
    expect(chooseRange(normal, "minmax", 0)).toEqual({ low: 0, high: 8 });
  });
  it("percentile leaves the given share outside", () => {
    const { high } = chooseRange(normal, "percentile", 99.73);
    expect(high).toBeCloseTo(3, 1);
  });
  it("mse and entropy clip the far tail of a normal distribution", () => {
    // 8 bits of a normal distribution: the best clip is at 3.9 to 4 σ (Banner et al. 2019, arXiv:1810.05723: 3.92 σ).
    const { high } = chooseRange(normal, "mse", 0);
    expect(high).toBeGreaterThan(3.6);
    expect(high).toBeLessThan(4.6);
    expect(chooseRange(normal, "entropy", 0).high).toBeLessThan(7);
  });
  it("keeps a uniform distribution whole", () => {
    const uniform = statistics(-1, 3, () => 100);
    expect(chooseRange(uniform, "mse", 0)).toEqual({ low: -1, high: 3 });
    expect(chooseRange(uniform, "percentile", 100)).toEqual({ low: -1, high: 3 });
  });
  it("represents 0 exactly", () => {
    const { scale, zeroPoint } = scaleOf({ low: -1, high: 3 });
    expect(scale).toBeCloseTo(4 / 255, 8);
    expect(zeroPoint).toBe(64);
    expect(scaleOf({ low: 0, high: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
  });
});

const data = process.env.NETPARE_DATA;
const available = haveSharedModels && data !== undefined;

describe("cifar10_resnet32", () => {
  it.skipIf(!available)(`loses nothing that counts ${needsShared} (needs NETPARE_DATA)`, async () => {
    const graph = await sharedModel("cifar10_resnet32");
    const dataset = await openDataset(`cifar10:${join(data!, "cifar10")}`);
    const format = {
      classes: 10,
      storedShape: [3, 32, 32] as const,
      preprocessing: {
        scale: 1 / 255,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        channels: "rgb" as const,
      },
    };
    const samples = createSamples(dataset.train, { ...format, seed: 1, limit: 512 });
    const { graph: small, skipped } = await method.apply(graph, method.params.parse({}), {
      ...fixtureContext(samples),
    });
    expect(skipped).toEqual([]);
    expect(encodeModel(small).length / encodeModel(graph).length).toBeLessThan(0.28);
    expect(await kernels(small)).toEqual({
      ...{ QuantizeLinear: 1, Transpose: 2, QLinearConv: 31, QLinearAdd: 15, Slice: 2, Pad: 2 },
      ...{ QLinearGlobalAveragePool: 1, Flatten: 1, QGemm: 1 },
    });
    const limit = 1000;
    const before = await evaluateModel(graph, dataset.test, { ...format, limit });
    const after = await evaluateModel(small, dataset.test, { ...format, limit });
    expect(after.top1).toBeGreaterThan(before.top1 - 0.01);
  });
});
