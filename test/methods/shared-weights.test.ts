/** Pruned and shared weights: what the methods make, what training leaves of it, and what is shipped. */
import { describe, expect, it } from "vitest";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { type TrainingData, trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { readPare } from "../../src/format/read-pare.ts";
import { writePare } from "../../src/format/write.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { shippingPasses, simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { Net } from "../analysis/nets.ts";
import { expectClose } from "../ops/check-op.ts";
import { fixtureBatch, fixtureContext, fixtures } from "./fixtures.ts";

const apply = async (name: string, graph: Graph, given: Readonly<Record<string, unknown>>) => {
  const method = findMethod(name);
  return method.apply(graph, method.params.parse(given), fixtureContext());
};
const prune = (graph: Graph, given: Readonly<Record<string, unknown>>) => apply("prune-magnitude", graph, given);
const cluster = (graph: Graph, given: Readonly<Record<string, unknown>>) => apply("cluster-weights", graph, given);
const step = (graph: Graph, size: number, seen: boolean) => {
  const method = findMethod("cluster-weights");
  const context = fixtureContext();
  return method.apply(graph, method.params.parse({ step: size }), seen ? context : { ...context, samples: undefined });
};
const ship = (graph: Graph) => simplify(graph, shippingPasses).graph;
const weightsOf = (graph: Graph, name: string) => toNumbers(graph.initializers.get(name)!);
const zerosIn = (values: Float64Array) => values.reduce((sum, value) => sum + (value === 0 ? 1 : 0), 0);

/** The weights of the layers as they are shipped, by the layer's name. */
function shippedWeights(graph: Graph): Map<string, Float64Array> {
  const shipped = ship(graph);
  const layers = shipped.nodes.filter(({ op }) => op === "Conv" || op === "Gemm");
  return new Map(layers.map(({ name, inputs }) => [name, weightsOf(shipped, inputs[1]!)]));
}

/** A dense layer of the given weights `(K)`. */
function layer(...weights: number[]): Graph {
  const net = new Net(["N", weights.length]);
  const w = net.g.initializer("w", tensorOf("float32", [weights.length, 1], weights));
  return net.done(net.g.op("Gemm", ["x", w], {}, { name: "layer" }));
}

describe("prune-magnitude", () => {
  it("takes the smallest, of equal ones the first, zeros counted in", async () => {
    const { graph, changes } = await prune(layer(3, -1, 0, 1, -2, 1), { sparsity: 0.5 });
    expect([...weightsOf(graph, "w")]).toEqual([3, 0, 0, 0, -2, 1]);
    expect(changes).toEqual(["layer: 6 weights to 3"]);
  });

  it("ranks over the network, or prunes every layer alike", async () => {
    const graph = fixtures.residual!();
    const share = (pruned: Graph) => [...shippedWeights(pruned).values()].map((w) => zerosIn(w) / w.length);
    for (const given of share((await prune(graph, { density: 0.25, scope: "layer" })).graph))
      expect(given).toBeCloseTo(0.75, 1);
    const uneven = { ...graph, initializers: new Map(graph.initializers) };
    const head = graph.initializers.get("inner.w")!;
    uneven.initializers.set(
      "inner.w",
      tensorOf(
        "float32",
        head.shape,
        toNumbers(head).map((v) => v / 1000),
      ),
    );
    const [stem, inner] = share((await prune(uneven, { sparsity: 0.4 })).graph);
    expect(stem).toBeLessThan(0.1);
    expect(inner).toBeGreaterThan(0.75);
  });

  it("leaves biases, normalizations and kept layers as they are", async () => {
    const before = fixtures.residual!();
    const { graph } = await prune(before, { sparsity: 0.9, keep: ["stem", "head"] });
    for (const [name, tensor] of before.initializers)
      if (!["inner.w", "outer.w"].includes(name)) expect(graph.initializers.get(name), name).toBe(tensor);
    const shipped = shippedWeights(graph);
    expect(zerosIn(shipped.get("stem")!)).toBe(0);
    // Normalizations have negative scales too.
    expect(zerosIn(shipped.get("outer")!)).toBeGreaterThan(700);
    expect(shipped.get("outer")!.some((value) => Object.is(value, -0))).toBe(false);
  });

  it("prunes further what is pruned, with the mask that is there", async () => {
    const once = await prune(fixtures.fire!(), { sparsity: 0.5 });
    const twice = await prune(once.graph, { sparsity: 0.8 });
    expect(twice.graph.nodes).toHaveLength(once.graph.nodes.length);
    const at = (graph: Graph) => [...shippedWeights(graph).values()].map(zerosIn).reduce((a, b) => a + b);
    const total = [...shippedWeights(once.graph).values()].reduce((sum, { length }) => sum + length, 0);
    expect(at(once.graph)).toBe(Math.round(0.5 * total));
    expect(at(twice.graph)).toBe(Math.round(0.8 * total));
  });

  it("wants one share, names of layers that exist, and finite weights", async () => {
    for (const given of [{}, { sparsity: 0.5, density: 0.5 }])
      await expect(prune(fixtures.fire!(), given)).rejects.toThrow("exactly one of --sparsity and --density");
    await expect(prune(fixtures.fire!(), { sparsity: 0.5, keep: ["nobody"] })).rejects.toThrow("'nobody' names no");
    await expect(prune(layer(1, Number.NaN), { sparsity: 0.5 })).rejects.toThrow(
      "Gemm 'layer': element 1 of its weight 'w' is NaN",
    );
  });

  it("says which weights it leaves alone, and why", async () => {
    const net = new Net(["N", 6]);
    const w = net.weight("w", 6, 6);
    const turned = net.g.op("Gemm", ["x", w], {}, { name: "first" });
    const flipped = net.g.op("Gemm", [turned, net.g.transpose(w, [1, 0])], {}, { name: "second" });
    const { graph, changes, skipped } = await prune(net.done(flipped), { sparsity: 0.5 });
    expect(changes).toEqual([]);
    expect(skipped.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
      expect.stringMatching(/^Gemm 'first': Transpose '.*' reads its weight too$/),
      expect.stringMatching(/^Gemm 'second': its weight is computed by Transpose/),
    ]);
    expect(graph.nodes.map(({ op }) => op)).not.toContain("Sign");
  });
});

describe("cluster-weights", () => {
  it.each(["exact", "linear", "density", "plusplus"])("by %s: values of a codebook, zeros kept", async (clustering) => {
    const pruned = (await prune(fixtures.residual!(), { sparsity: 0.6, scope: "layer" })).graph;
    const { graph } = await cluster(pruned, { bits: 3, clustering });
    const [before, after] = [shippedWeights(pruned), shippedWeights(graph)];
    for (const [name, values] of after) {
      expect(new Set(values).size, name).toBe(8);
      expect(zerosIn(values), name).toBe(zerosIn(before.get(name)!));
      for (const [i, value] of values.entries()) if (before.get(name)![i] === 0) expect(value).toBe(0);
    }
  });

  it("shares few values, equal ones and none as they are", async () => {
    const graph = layer(1, 1, -2, 0, 1, -2, 0, 0, 1);
    expect([...shippedWeights((await cluster(graph, { bits: 3 })).graph).get("layer")!]).toEqual([
      1, 1, -2, 0, 1, -2, 0, 0, 1,
    ]);
    for (const value of [0, 0.5]) {
      const equal = layer(...new Array<number>(6).fill(value));
      const { graph: shared } = await cluster(equal, { bits: 2 });
      expect([...shippedWeights(shared).get("layer")!]).toEqual(new Array(6).fill(value));
      expect(shared.initializers.get("w/codebook")!.shape).toEqual([1]);
    }
    await expect(cluster(layer(1, 2, Number.NaN, 4, 5), { bits: 2 })).rejects.toThrow("element 2 of its weight 'w'");
  });

  it("with a step: whole numbers of it, near the weights they stand for", async () => {
    const { graph } = await step(layer(0.9, -1.1, 0.2, 2.1, -0.1, 1), 1, false);
    const shipped = [...shippedWeights(graph).get("layer")!];
    const spread = Math.sqrt((0.81 + 1.21 + 0.04 + 4.41 + 0.01 + 1) / 6);
    expect(shipped.map((value) => value / shipped[0]!)).toEqual([1, -1, 0, 2, 0, 1]);
    // Steps have 8 bits, so that their multiples are exact.
    expect(Math.abs(shipped[0]! / spread - 1)).toBeLessThan(2 ** -8);
  });

  it("with a step so fine that a layer has more values than a byte: whole numbers all the same, which the file holds", async () => {
    const values = Array.from({ length: 900 }, (_, i) => Math.sin(i) * (1 + i / 100));
    const { graph, changes } = await step(layer(...values), 0.004, false);
    const shipped = [...shippedWeights(graph).get("layer")!];
    const size = Number(changes[0]!.split(" ").at(-1));
    expect(new Set(shipped).size).toBeGreaterThan(256);
    for (const [i, value] of shipped.entries()) expect(Math.abs(value - values[i]!)).toBeLessThan(0.51 * size);
    const held = readPare(writePare(ship(graph)));
    const forms = [...held.tensors.values()].map(({ content }) => content.form);
    expect(forms).toContain("steps");
    const weight = [...held.tensors.values()].find(({ content }) => content.form === "steps")!;
    expect([...weight.decode()]).toEqual(shipped);
  });

  it("with a step and samples: changes outputs less", async () => {
    const fire = fixtures.fire!();
    const images = new Map([[fire.inputs[0]!.name, fixtureBatch()]]);
    const outputs = (graph: Graph) => toNumbers([...evaluateGraph(graph, images).values()][0]!);
    const exact = outputs(fire);
    const change = (graph: Graph) => outputs(graph).reduce((sum, y, i) => sum + (y - exact[i]!) ** 2, 0);
    const [alone, together] = [await step(fire, 0.5, false), await step(fire, 0.5, true)];
    expect(change(together.graph)).toBeLessThan(0.7 * change(alone.graph));
  });

  it("leaves layers of few weights, and those that share already", async () => {
    const { graph, skipped } = await cluster(layer(1, 2, 3), { bits: 4 });
    expect(graph.initializers.has("w")).toBe(true);
    expect(skipped).toEqual([
      { node: "layer", reason: "it has no more than 16 weights, as many as a codebook has values" },
    ]);
    const shared = await cluster(layer(1, 2, 3, 4, 5), { bits: 2 });
    const again = await cluster(shared.graph, { bits: 1 });
    expect(again.skipped[0]?.reason).toBe("its weight is a codebook already");
  });

  it("is written with one byte a weight, which simplification leaves", async () => {
    const { graph } = await cluster(fixtures.residual!(), { bits: 4 });
    expect(simplify(graph).graph.initializers.get("inner.w/indices")?.dtype).toBe("uint8");
  });
});

it("ships what it computes, in .pare as a codebook", async () => {
  const pruned = (await prune(fixtures.depthwise!(), { sparsity: 0.5, scope: "layer" })).graph;
  const { graph } = await cluster(pruned, { bits: 2 });
  const shipped = ship(graph);
  expect(shipped.nodes.map(({ op }) => op).filter((op) => ["Gather", "Cast", "Sign", "Mul"].includes(op))).toEqual([]);
  const feeds = new Map([[graph.inputs[0]!.name, fixtureBatch()]]);
  const output = graph.outputs[0]!.name;
  const expected = evaluateGraph(graph, feeds).get(output)!;
  expectClose("shipped", evaluateGraph(shipped, feeds).get(output)!, expected, 1e-6);
  const program = readPare(writePare(shipped));
  const contents = shipped.nodes
    .map((node, i) => ({ node, content: program.tensors.get(program.nodes[i]!.inputs[1] ?? -1)?.content }))
    .filter(({ node }) => node.op === "Conv" || node.op === "Gemm");
  expect(contents).toHaveLength(5);
  for (const { node, content } of contents) {
    expect(content?.form, node.name).toBe("symbols");
    if (content?.form === "symbols") expect(content.table).toHaveLength(4);
  }
});

it("leaves quantized weights quantized when it ships", async () => {
  const net = new Net(["N", 4]);
  const scale = net.g.initializer("scale", tensorOf("float32", [], [0.5]));
  const q = net.g.initializer("q", tensorOf("int8", [4, 2], [1, -2, 3, 4, 5, -6, 7, 8]));
  const graph = net.done(net.g.op("Gemm", ["x", net.g.op("DequantizeLinear", [q, scale])]));
  expect(ship(graph).nodes.map(({ op }) => op)).toEqual(["DequantizeLinear", "Gemm"]);
});

it("is quantized as the weights it stands for, zeros at zero", async () => {
  const pruned = (await prune(fixtures.residual!(), { sparsity: 0.6, scope: "layer" })).graph;
  for (const graph of [pruned, (await cluster(pruned, { bits: 3 })).graph]) {
    const quantized = await apply("quantize-int8", graph, {});
    expect(quantized.skipped).toEqual([]);
    const integers = [...quantized.graph.initializers.values()].filter((t) => t.dtype === "int8" && t.data.length > 64);
    const zeros = integers.reduce((sum, t) => sum + zerosIn(toNumbers(t)), 0);
    expect(zeros / integers.reduce((sum, t) => sum + t.data.length, 0)).toBeGreaterThan(0.59);
  }
});

describe("training", () => {
  const faces = createFaces({ size: 48, channels: 1, trainSamples: 48, testSamples: 0, seed: 3 });
  const data: TrainingData = {
    train: faces.train,
    validation: undefined,
    classes: 8,
    storedShape: [1, 48, 48],
    preprocessing: faces.preprocessing,
  };
  const net = () =>
    findArchitecture("faces-net").build({ classes: 8, channels: 1, size: 48, width: 8 }, createRandom(3));
  const train = async (graph: Graph, given: object) => {
    const base = { epochs: 2, batch: 16, threads: 1, seed: 5 };
    const options = trainingSchema.parse({ ...base, ...given });
    return (await trainModel(graph, data, { options, inline: true })).graph;
  };

  it.each([
    { optimizer: "sgd", lr: 0.05 },
    { optimizer: "adam", lr: 0.002, ema: 0.9 },
  ])("moves what is left and leaves zeros at zero: %o", async (given) => {
    const { graph } = await prune(net(), { sparsity: 0.8, scope: "layer" });
    const trained = await train(graph, given);
    for (const [name, tensor] of graph.initializers) {
      if (!graph.nodes.some(({ op, inputs }) => op === "Sign" && inputs[0] === name)) continue;
      const [before, after] = [toNumbers(tensor), weightsOf(trained, name)];
      const moved = after.filter((value, i) => value !== before[i]).length;
      for (const [i, value] of before.entries()) if (value === 0) expect(after[i]).toBe(0);
      expect(zerosIn(after)).toBe(zerosIn(before));
      expect(moved).toBeGreaterThan(0.15 * before.length);
    }
  });

  it("moves shared values together, and leaves their number, their members and zero", async () => {
    const pruned = (await prune(net(), { sparsity: 0.7, scope: "layer" })).graph;
    const { graph } = await cluster(pruned, { bits: 3 });
    const trained = await train(graph, { optimizer: "adam", lr: 0.002 });
    const [before, after] = [shippedWeights(graph), shippedWeights(trained)];
    expect(after.size).toBeGreaterThan(2);
    for (const [name, values] of after) {
      const start = before.get(name)!;
      const became = new Map<number, number>();
      for (const [i, value] of start.entries()) {
        expect(became.get(value) ?? values[i], `${name} ${i}`).toBe(values[i]);
        became.set(value, values[i]!);
      }
      expect(became.size, name).toBe(8);
      expect(became.get(0)).toBe(0);
      for (const [value, next] of became) if (value !== 0) expect(next).not.toBe(value);
    }
  });
});
