/** Weights that are trained to take few bits: whole numbers of steps, priced as their code would be. */
import { expect, it } from "vitest";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { shippingPasses, simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { Net } from "../analysis/nets.ts";
import { fixtureContext } from "./fixtures.ts";

const method = findMethod("penalize-entropy");
const apply = (graph: Graph, given: Readonly<Record<string, unknown>>) =>
  method.apply(graph, method.params.parse(given), fixtureContext());

/** A dense layer of the given weights `(K)`, without a bias. */
function layer(...weights: number[]): Graph {
  const net = new Net(["N", weights.length]);
  const w = net.g.initializer("w", tensorOf("float32", [weights.length, 1], weights));
  return net.done(net.g.op("Gemm", ["x", w], {}, { name: "layer" }));
}

/** The weights as they are shipped, in steps. */
function shippedSteps(graph: Graph, step: number): number[] {
  const shipped = simplify(graph, shippingPasses).graph;
  const gemm = shipped.nodes.find(({ op }) => op === "Gemm" || op === "MatMul")!;
  return [...toNumbers(shipped.initializers.get(gemm.inputs[1]!)!)].map((value) => value / step);
}

it("rounds weights to steps, the power of two next to a share of their root mean square", async () => {
  const weights = [3, -1, 0.4, 1, -2, -0.1, 1, 0];
  const rms = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length);
  const { graph } = await apply(layer(...weights), { step: 0.5 });
  const step = 2 ** Math.round(Math.log2(rms / 2));
  shippedSteps(graph, step).forEach((value, i) => {
    expect(value).toBe(Math.round(weights[i]! / step) + 0);
    expect(Object.is(value, -0), "-0").toBe(false);
  });
});

it("prices a layer as a flag for zero, a sign and a geometric rest cost", async () => {
  const weights = [3, -1, 0, 1, -2, 0, 0, 0];
  const rms = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length);
  const { graph, recipe } = await apply(layer(...weights), { step: 1 / rms, rate: 8 });
  const g = new TypedBuilder(graph, { batch: 1 });
  const price = recipe!.terms[0]!.append(g, { images: "x", logits: graph.outputs[0]!.name, targets: "" });
  const feeds = new Map([["x", tensorOf("float32", [1, 8], new Array<number>(8).fill(0))]]);
  g.output(price);
  const bits = toNumbers(evaluateGraph(g.build(), feeds).get(price)!)[0]!;
  const present = weights.map((w) => 1 - 2 ** (-4 * w * w));
  const total = present.reduce((a, b) => a + b, 0.5);
  const rest = weights.reduce((sum, w, i) => sum + present[i]! * Math.max(Math.abs(w) - 1, 0), 0.01) / total;
  const density = total / 9;
  const flags = -8 * (density * Math.log2(density) + (1 - density) * Math.log2(1 - density));
  expect(bits).toBeCloseTo(flags + total * (1 + (1 + rest) * Math.log2(1 + rest) - rest * Math.log2(rest)), 3);
});

it("leaves the fewer weights the dearer a bit is", async () => {
  const faces = createFaces({ size: 48, channels: 1, trainSamples: 48, testSamples: 0, seed: 3 });
  const net = findArchitecture("faces-net").build({ classes: 8, channels: 1, size: 48, width: 4 }, createRandom(3));
  const base = { epochs: 8, batch: 16, threads: 1, seed: 5, optimizer: "adam", lr: 0.005, weightDecay: 0 };
  const options = trainingSchema.parse(base);
  const data = {
    train: faces.train,
    classes: 8,
    storedShape: [1, 48, 48],
    preprocessing: faces.preprocessing,
  } as const;
  const zeros = async (rate: number) => {
    const { graph, recipe } = await apply(net, { rate, step: 0.5 });
    const trained = await trainModel(graph, data, { options, recipe, inline: true });
    const shipped = simplify(trained.graph, shippingPasses).graph;
    const weights = [...shipped.initializers.values()].filter(({ shape }) => shape.length === 4);
    const values = weights.flatMap((weight) => [...toNumbers(weight)]);
    return values.filter((value) => value === 0).length / values.length;
  };
  const [free, dear] = [await zeros(0), await zeros(30)];
  expect(dear).toBeGreaterThan(free + 0.1);
}, 60_000);
