import { describe, expect, it } from "vitest";
import { buildTrainingStep, stepNames } from "../../src/autodiff/training-step.ts";
import { float, ints } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { evaluateGraph, toFloat64 } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { castTensor, type Tensor, tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

const random = createRandom(5);
const drawn = (shape: readonly number[], scale = 1) =>
  tensorOf(
    "float32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * random.normal()),
  );

/** Conv, batch norm, ReLU, optional Dropout, pool, dense: images (N, 2, 4, 4), 3 classes. */
function net(dropout?: number) {
  const g = new TypedBuilder("net");
  g.input("image", "float32", ["N", 2, 4, 4]);
  const conv = g.op("Conv", ["image", g.initializer("conv/w", drawn([4, 2, 3, 3], 0.3))], { pads: ints([1, 1, 1, 1]) });
  const ones = (name: string, value: number) =>
    g.initializer(name, tensorOf("float32", [4], [value, value, value, value]));
  const statistics = [ones("bn/scale", 1), ones("bn/bias", 0), ones("bn/mean", 0), ones("bn/var", 1)];
  const bn = g.op("BatchNormalization", [conv, ...statistics], { epsilon: float(1e-5) }, { name: "bn" });
  let x = g.op("Relu", [bn]);
  if (dropout !== undefined)
    x = g.op("Dropout", [x, g.initializer("ratio", tensorOf("float32", [], [dropout]))], {}, { name: "drop" });
  const pooled = g.op("Flatten", [g.op("GlobalAveragePool", [x])]);
  g.output(g.op("Gemm", [pooled, g.initializer("fc/w", drawn([4, 3])), g.initializer("fc/b", tensor("float32", [3]))]));
  return g.build();
}

const options = {
  batch: 4,
  classes: 3,
  imageShape: [2, 4, 4] as const,
  optimizer: { optimizer: "sgd" as const, momentum: 0.9, nesterov: true, weightDecay: 0 },
  objective: { terms: [] },
};

function feedsOf(step: ReturnType<typeof buildTrainingStep>, states: ReadonlyMap<string, Tensor>, lr = 0.1) {
  const feeds = new Map<string, Tensor>(states);
  const draw = createRandom(9);
  feeds.set(
    step.images,
    tensorOf(
      "float64",
      [4, 2, 4, 4],
      Array.from({ length: 128 }, () => draw.normal()),
    ),
  );
  feeds.set(stepNames.targets, tensorOf("float64", [4, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]));
  feeds.set(stepNames.lr, tensorOf("float64", [], [lr]));
  if (step.noisy) feeds.set(stepNames.noise, tensorOf("float64", [4], [123.4, 567.8, 901.2, 345.6]));
  return feeds;
}

const wide = (states: ReturnType<typeof buildTrainingStep>["states"]) =>
  new Map([...states].map(([name, state]): [string, Tensor] => [name, castTensor(state.initial, "float64")]));

describe("a training step as one graph", () => {
  it("lowers the loss when it is repeated", () => {
    const step = buildTrainingStep(net(), options);
    const graph = toFloat64(step.graph);
    let states = wide(step.states);
    const losses: number[] = [];
    for (let t = 0; t < 24; t++) {
      const outputs = evaluateGraph(graph, feedsOf(step, states));
      losses.push(toNumbers(outputs.get(step.loss)!)[0]!);
      states = new Map([...step.states].map(([name, state]) => [name, outputs.get(state.next)!]));
    }
    expect(losses[0]).toBeGreaterThan(0.5);
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
  });

  it("moves running statistics a tenth towards the batch's", () => {
    const step = buildTrainingStep(net(), options);
    const outputs = evaluateGraph(toFloat64(step.graph), feedsOf(step, wide(step.states), 0));
    const again = new Map(wide(step.states));
    again.set("bn/mean", tensorOf("float64", [4], [10, 10, 10, 10]));
    const moved = evaluateGraph(toFloat64(step.graph), feedsOf(step, again, 0));
    const mean = (values: Map<string, Tensor>) => toNumbers(values.get(step.states.get("bn/mean")!.next)!);
    for (const [c, m] of mean(outputs).entries()) expect(mean(moved)[c]! - m).toBeCloseTo(9, 5);
    expect(step.trained).toEqual(["conv/w", "bn/scale", "bn/bias", "fc/w", "fc/b", "bn/mean", "bn/var"]);
  });

  it("keeps the network's names from those that it gives itself", () => {
    const named = net();
    const taken = new Map([
      ["relu", "add"],
      ["conv", "mul"],
      ["globalaveragepool", "reciprocal"],
    ]);
    const rename = (name: string) => taken.get(name) ?? name;
    const nodes = named.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    }));
    const lossOf = (graph: Graph) => {
      const step = buildTrainingStep(graph, options);
      return toNumbers(evaluateGraph(toFloat64(step.graph), feedsOf(step, wide(step.states))).get(step.loss)!)[0]!;
    };
    expect(nodes.flatMap(({ outputs }) => outputs)).toEqual(expect.arrayContaining(["add", "mul", "reciprocal"]));
    expect(lossOf({ ...named, nodes })).toBe(lossOf(named));
  });

  it("counts right answers", () => {
    const step = buildTrainingStep(net(), options);
    const outputs = evaluateGraph(toFloat64(step.graph), feedsOf(step, wide(step.states)));
    const correct = toNumbers(outputs.get(step.correct)!)[0]!;
    expect(Number.isInteger(correct) && correct >= 0 && correct <= 4).toBe(true);
  });

  it("drops about the asked share of activations and scales the rest", () => {
    const step = buildTrainingStep(net(0.25), options);
    expect(step.noisy).toBe(true);
    const mul = step.graph.nodes.find((node) => node.name === "drop")!;
    const values = evaluateGraph(toFloat64(step.graph), feedsOf(step, wide(step.states)), [mul.inputs[1]!]);
    const mask = toNumbers(values.get(mul.inputs[1]!)!);
    expect(new Set([...mask].map((v) => v.toFixed(6)))).toEqual(new Set(["0.000000", (4 / 3).toFixed(6)]));
    const dropped = [...mask].filter((v) => v === 0).length / mask.length;
    expect(dropped).toBeGreaterThan(0.15);
    expect(dropped).toBeLessThan(0.35);
  });

  it("keeps frozen parameters and their statistics out of the states", () => {
    const step = buildTrainingStep(net(), {
      ...options,
      objective: { terms: [], frozen: ["conv/w", "bn/mean", "bn/var"] },
    });
    expect(step.trained).toEqual(["bn/scale", "bn/bias", "fc/w", "fc/b"]);
  });

  it("adds terms to the loss", () => {
    const plain = buildTrainingStep(net(), options);
    const constant = {
      name: "constant",
      append: (g: TypedBuilder) => g.initializer("seven", tensorOf("float32", [], [7])),
    };
    const more = buildTrainingStep(net(), { ...options, objective: { terms: [constant], labelWeight: 1 } });
    const loss = (step: typeof plain) =>
      toNumbers(evaluateGraph(toFloat64(step.graph), feedsOf(step, wide(step.states))).get(step.loss)!)[0]!;
    // Both nets draw their weights from one stream, so the labels' parts differ; the constant dominates.
    expect(loss(more)).toBeGreaterThan(7);
    expect(loss(plain)).toBeLessThan(7);
  });

  it("says so where classes or images do not fit", () => {
    expect(() => buildTrainingStep(net(), { ...options, classes: 5 })).toThrowError(/5 classes want \[N, 5\]/);
    expect(() => buildTrainingStep(net(), { ...options, imageShape: [3, 4, 4] })).toThrowError(NetpareError);
  });
});
