import { describe, expect, it } from "vitest";
import { appendAverages, appendOptimizer, type OptimizerOptions } from "../../src/autodiff/optimizers.ts";
import { evaluateGraph, toFloat64 } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

const start = [0.5, -1.5, 2, 0.25];
const slopes = [
  [0.1, -0.2, 0.3, 0.4],
  [-0.3, 0.1, 0.2, -0.1],
  [0.2, 0.2, -0.4, 0.3],
];
const lr = 0.1;

/** Runs three updates of a `(2, 2)` weight and returns it. */
function run(options: OptimizerOptions, gradients = slopes): number[] {
  const g = new TypedBuilder("update");
  const weight = tensorOf("float32", [2, 2], start);
  g.input("w", "float32", [2, 2]);
  g.input("g", "float32", [2, 2]);
  g.input("lr", "float32", []);
  const states = appendOptimizer(g, "lr", new Map([["w", "g"]]), new Map([["w", weight]]), options);
  for (const { next } of states.values()) g.output(next);
  const graph = toFloat64(g.build());
  let values = new Map<string, Tensor>([...states].map(([name, state]) => [name, state.initial]));
  for (const slope of gradients) {
    const feeds = new Map([
      ...values,
      ["g", tensorOf("float64", [2, 2], slope)],
      ["lr", tensorOf("float64", [], [lr])],
    ] as [string, Tensor][]);
    const outputs = evaluateGraph(graph, feeds);
    values = new Map([...states].map(([name, state]) => [name, outputs.get(state.next)!]));
  }
  return [...toNumbers(values.get("w")!)];
}

/** One update, with lr 1, of `layer/w` (1, 1) and `layer/b` (1), both from `first`. */
function updateTwo(options: OptimizerOptions, gradient = [30, 40], first = 0): Float64Array[] {
  const g = new TypedBuilder("update");
  const initial = new Map<string, Tensor>([
    ["layer/w", tensorOf("float32", [1, 1], [first])],
    ["layer/b", tensorOf("float32", [1], [first])],
  ]);
  const feeds = new Map<string, Tensor>([["lr", tensorOf("float32", [], [1])]]);
  g.input("lr", "float32", []);
  const gradients = [...initial].map(([name, { shape }], i): [string, string] => {
    feeds.set(`${name}/g`, tensorOf("float32", shape, [gradient[i]!]));
    return [g.input(name, "float32", shape), g.input(`${name}/g`, "float32", shape)];
  });
  const states = appendOptimizer(g, "lr", new Map(gradients), initial, options);
  for (const { next } of states.values()) g.output(next);
  const outputs = evaluateGraph(g.build(), new Map([...feeds, ...initial]));
  return [...states.values()].map(({ next }) => toNumbers(outputs.get(next)!));
}

/** Constants of a step are stored in float32, which limits agreement to about 1e-6. */
function expectNear(got: number[], expected: number[]): void {
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
}

describe("optimizers as nodes against their published recurrences", () => {
  it("sgd with momentum and weight decay", () => {
    const w = [...start];
    const v = [0, 0, 0, 0];
    for (const g of slopes)
      for (let i = 0; i < 4; i++) {
        v[i] = 0.9 * v[i]! + g[i]! + 0.01 * w[i]!;
        w[i]! -= lr * v[i]!;
      }
    expectNear(run({ optimizer: "sgd", momentum: 0.9, nesterov: false, weightDecay: 0.01 }), w);
  });

  it("sgd in Nesterov's form", () => {
    const w = [...start];
    const v = [0, 0, 0, 0];
    for (const g of slopes)
      for (let i = 0; i < 4; i++) {
        const slope = g[i]! + 0.01 * w[i]!;
        v[i] = 0.9 * v[i]! + slope;
        w[i]! -= lr * (slope + 0.9 * v[i]!);
      }
    expectNear(run({ optimizer: "sgd", momentum: 0.9, nesterov: true, weightDecay: 0.01 }), w);
  });

  it.each(["adam", "adamw"] as const)("%s with bias correction", (optimizer) => {
    const w = [...start];
    const m = [0, 0, 0, 0];
    const s = [0, 0, 0, 0];
    slopes.forEach((g, t) => {
      for (let i = 0; i < 4; i++) {
        const slope = g[i]! + (optimizer === "adam" ? 0.01 * w[i]! : 0);
        m[i] = 0.9 * m[i]! + 0.1 * slope;
        s[i] = 0.999 * s[i]! + 0.001 * slope ** 2;
        const direction = m[i]! / (1 - 0.9 ** (t + 1)) / (Math.sqrt(s[i]! / (1 - 0.999 ** (t + 1))) + 1e-8);
        w[i]! -= lr * (direction + (optimizer === "adamw" ? 0.01 * w[i]! : 0));
      }
    });
    expectNear(run({ optimizer, momentum: 0.9, nesterov: false, weightDecay: 0.01 }), w);
  });

  it("clips the gradient to a norm, over all parameters, and leaves a smaller one alone", () => {
    const plain = { optimizer: "sgd", momentum: 0, nesterov: false, weightDecay: 0 } as const;
    const norm = (slope: number[]) => Math.hypot(...slope);
    const w = [...start];
    const clip = 0.45;
    expect(slopes.map((slope) => norm(slope) > clip)).toEqual([true, false, true]);
    for (const slope of slopes) for (let i = 0; i < 4; i++) w[i]! -= lr * slope[i]! * Math.min(1, clip / norm(slope));
    expectNear(run({ ...plain, clip }), w);
    expectNear(run({ ...plain, clip: 0 }, [[1e6, 0, 0, 0]]), [0.5 - 1e5, -1.5, 2, 0.25]);
    expect(updateTwo({ ...plain, clip: 5 }).map((values) => values[0])).toEqual([-3, -4]);
  });

  it("decays parameters by the longest prefix of their names, of whatever rank", () => {
    const plain = { optimizer: "sgd", momentum: 0, nesterov: false, weightDecay: 0.5 } as const;
    const shares = (decay: string[]) => updateTwo({ ...plain, decay }, [0, 0], 1).map((values) => values[0]);
    expect(shares([])).toEqual([0.5, 1]);
    expect(shares(["=0", "layer/b=0.25"])).toEqual([1, 0.75]);
    expect(shares(["layer/b=0.25", "layer/=1"])).toEqual([0, 0.75]);
    expect(() => shares(["stem=0"])).toThrowError(/'stem=0': no parameter begins with 'stem', the first are layer\/w/);
  });

  it("averages what is carried with the decay that is fed", () => {
    const g = new TypedBuilder("average");
    g.input("w", "float32", [2]);
    g.input("d", "float32", []);
    const next = g.scale("w", 3);
    const carried = new Map([["w", { initial: tensorOf("float32", [2], [1, 2]), next }]]);
    const averages = appendAverages(g, "d", carried, ["w"]);
    const [[name, { initial, next: average }]] = [...averages] as [[string, { initial: Tensor; next: string }]];
    g.output(average);
    const feeds = new Map<string, Tensor>([
      ["w", initial],
      [name, initial],
      ["d", tensorOf("float32", [], [0.75])],
    ]);
    expect([...toNumbers(evaluateGraph(g.build(), feeds).get(average)!)]).toEqual([1.5, 3]);
  });

  it("leaves vectors without weight decay", () => {
    const g = new TypedBuilder("update");
    g.input("b", "float32", [2]);
    g.input("g", "float32", [2]);
    g.input("lr", "float32", []);
    const bias = tensorOf("float32", [2], [1, 2]);
    const options: OptimizerOptions = { optimizer: "sgd", momentum: 0, nesterov: false, weightDecay: 0.5 };
    const state = appendOptimizer(g, "lr", new Map([["b", "g"]]), new Map([["b", bias]]), options).get("b")!;
    g.output(state.next);
    const zeros = tensorOf("float32", [2], [0, 0]);
    const feeds = new Map<string, Tensor>([
      ["b", bias],
      ["g", zeros],
      ["lr", tensorOf("float32", [], [1])],
    ]);
    expect([...toNumbers(evaluateGraph(g.build(), feeds).get(state.next)!)]).toEqual([1, 2]);
  });
});
