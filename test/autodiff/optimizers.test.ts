import { describe, expect, it } from "vitest";
import { appendOptimizer, type OptimizerOptions } from "../../src/autodiff/optimizers.ts";
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
function run(options: OptimizerOptions): number[] {
  const g = new TypedBuilder("update");
  const weight = tensorOf("float32", [2, 2], start);
  g.input("w", "float32", [2, 2]);
  g.input("g", "float32", [2, 2]);
  g.input("lr", "float32", []);
  const states = appendOptimizer(g, "lr", new Map([["w", "g"]]), new Map([["w", weight]]), options);
  for (const { next } of states.values()) g.output(next);
  const graph = toFloat64(g.build());
  let values = new Map<string, Tensor>([...states].map(([name, state]) => [name, state.initial]));
  for (const slope of slopes) {
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
