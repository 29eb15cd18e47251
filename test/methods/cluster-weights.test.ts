/** Bits of each layer under a mean, and the gradient of shared values. */
import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod, type Samples } from "../../src/methods/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { shippingPasses, simplify } from "../../src/passes/index.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { Net } from "../analysis/nets.ts";
import { fixtureContext, fixtures } from "./fixtures.ts";

const method = findMethod("cluster-weights");
const cluster = (graph: Graph, given: Readonly<Record<string, unknown>>, samples?: Samples) =>
  method.apply(graph, method.params.parse(given), { ...fixtureContext(), samples });

/** Elements and distinct values of the layers' weights as they are shipped, by the layer's name. */
function shipped(graph: Graph) {
  const plain = simplify(graph, shippingPasses).graph;
  const layers = plain.nodes.filter(({ op }) => op === "Conv" || op === "Gemm");
  return new Map(layers.map(({ name, inputs }) => [name, toNumbers(plain.initializers.get(inputs[1]!)!)]));
}

/** Bits of the index of each weight, and their mean over all weights. */
function bitsOf(graph: Graph) {
  const layers = [...shipped(graph)].map(([name, values]) => ({
    name,
    size: values.length,
    bits: Math.ceil(Math.log2(new Set(values).size)),
  }));
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  return {
    mean: layers.reduce((sum, { size, bits }) => sum + size * bits, 0) / total,
    by: new Map(layers.map(({ name, bits }) => [name, bits])),
  };
}

/** The squared errors of the layers, relative to their energy, summed. */
function noiseOf(before: Graph, after: Graph): number {
  const now = shipped(after);
  return [...shipped(before)].reduce((sum, [name, values]) => {
    const error = values.reduce((total, value, i) => total + (value - now.get(name)![i]!) ** 2, 0);
    return sum + error / values.reduce((total, value) => total + value * value, 0);
  }, 0);
}

describe("mean bits", () => {
  it.each([2, 2.5, 3.5, 4.5])("%f: kept to, at no more error than bits alike would give", async (meanBits) => {
    const graph = fixtures.residual!();
    const { graph: shared, changes } = await cluster(graph, { meanBits });
    const { mean } = bitsOf(shared);
    expect(mean).toBeLessThanOrEqual(meanBits);
    expect(mean).toBeGreaterThan(meanBits - 0.3);
    expect(changes.at(-1)).toBe(`${mean.toFixed(2)} bits a weight in the mean`);
    const alike = (await cluster(graph, { bits: Math.floor(meanBits) })).graph;
    expect(noiseOf(graph, shared)).toBeLessThanOrEqual(noiseOf(graph, alike));
  });

  it("gives a layer whose values repeat no more bits than they need", async () => {
    const graph = fixtures.residual!();
    const signs = toNumbers(graph.initializers.get("inner.w")!).map(Math.sign);
    const shape = graph.initializers.get("inner.w")!.shape;
    const plain = new Map(graph.initializers).set("inner.w", tensorOf("float32", shape, signs));
    // A normalization folded into the weights would make more values of them.
    for (const part of ["bn1.scale", "bn1.var"]) plain.set(part, tensorOf("float32", [12], new Array(12).fill(1)));
    const { by } = bitsOf((await cluster({ ...graph, initializers: plain }, { meanBits: 3 })).graph);
    expect(by.get("inner")).toBe(1);
    expect(by.get("outer")).toBeGreaterThan(3);
  });

  it("gives more to layers that matter to the answers", async () => {
    const graph = fixtures.residual!();
    const { samples } = fixtureContext();
    // What comes out of the branch is next to nothing.
    const quiet = new Map(graph.initializers);
    for (const part of ["bn2.scale", "bn2.bias"]) {
      const values = toNumbers(quiet.get(part)!).map((value) => value / 1000);
      quiet.set(part, tensorOf("float32", [8], values));
    }
    quiet.set("bn2.mean", tensorOf("float32", [8], new Array(8).fill(0)));
    const { by, mean } = bitsOf((await cluster({ ...graph, initializers: quiet }, { meanBits: 2 }, samples)).graph);
    expect(mean).toBeLessThanOrEqual(2);
    expect(by.get("stem")).toBeGreaterThan(by.get("inner")! + 2);
    expect(by.get("head")).toBeGreaterThan(by.get("outer")! + 1);
  });
});

it("the gradient of a shared value is the sum over its members", async () => {
  const net = new Net(["N", 12]);
  const w = net.weight("w", 12, 3);
  const dense = net.done(net.g.op("Gemm", ["x", w], {}, { name: "layer" }));
  const { graph: shared } = await cluster(dense, { bits: 2 });
  const gradient = (graph: Graph, name: string) => {
    const g = new TypedBuilder({ ...graph, outputs: [] }, { batch: 5 });
    const y = graph.outputs[0]!.name;
    const loss = g.reduceSum(g.mul(y, g.op("Tanh", [y])), [0, 1], false);
    const found = appendGradient(g, loss, [name]).get(name)!;
    g.output(found);
    const images = tensorOf(
      "float32",
      [5, 12],
      Array.from({ length: 60 }, (_, i) => Math.sin(i)),
    );
    return toNumbers(evaluateGraph(g.build(), new Map([["x", images]])).get(found)!);
  };
  const plain = simplify(shared, shippingPasses).graph;
  const weight = plain.nodes.find(({ op }) => op === "Gemm")!.inputs[1]!;
  const single = gradient(plain, weight);
  const members = toNumbers(shared.initializers.get("w/indices")!);
  const sums = gradient(shared, "w/codebook");
  expect(sums).toHaveLength(4);
  for (const [value, sum] of sums.entries()) {
    const terms = single.filter((_, i) => members[i] === value);
    expect(terms.length).toBeGreaterThan(1);
    expect(sum).toBeCloseTo(
      terms.reduce((a, b) => a + b),
      4,
    );
  }
});
