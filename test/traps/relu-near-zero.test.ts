/**
 * Why gradients are tested in float64: two float32 engines that agree to the last bit but one put a Relu input that is zero up
 * to rounding on different sides of the kink, and its gradient flips between 0 and 1. In float64 the same input is plainly
 * positive, and central differences confirm the gradient.
 */
import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { evaluateGraph, toFloat64 } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { castTensor, type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { runOnnxruntime } from "../ops/check-op.ts";

/** `loss = Σ relu(a + b + c)`, added up from the left: for the values below 2^-27 in exact arithmetic. */
function lossGraph() {
  const g = new TypedBuilder("kink");
  for (const name of ["a", "b", "c"]) g.input(name, "float32", [1]);
  const sum = g.add(g.add("a", "b"), "c");
  const loss = g.reduceSum(g.op("Relu", [sum]), [0], false);
  const gradient = appendGradient(g, loss, ["a"]).get("a")!;
  g.output(loss);
  g.output(gradient);
  return { graph: g.build(), loss, gradient };
}

const values = { a: 1, b: 2 ** -27, c: -1 };
const feeds = (dtype: "float32" | "float64") =>
  new Map<string, Tensor>(Object.entries(values).map(([name, v]) => [name, tensorOf(dtype, [1], [v])]));
const only = (t: Tensor) => toNumbers(t)[0]!;

describe("the gradient of Relu within rounding of zero", () => {
  it("is 0 in float32 and 1 in float64, from the same graph and the same inputs", async () => {
    const { graph, gradient } = lossGraph();
    expect(only((await runOnnxruntime(graph, feeds("float32"))).get(gradient)!)).toBe(0);
    expect(only(evaluateGraph(graph, feeds("float32")).get(gradient)!)).toBe(0);
    expect(only(evaluateGraph(toFloat64(graph), feeds("float64")).get(gradient)!)).toBe(1);
  });

  it("is right in float64 by central differences that stay on one side of the kink", () => {
    const { graph, loss, gradient } = lossGraph();
    const wide = toFloat64(graph);
    const at = feeds("float64");
    const step = 2 ** -30;
    const lossAt = (a: number) =>
      only(evaluateGraph(wide, new Map([...at, ["a", tensorOf("float64", [1], [a])]]), [loss]).get(loss)!);
    const numeric = (lossAt(values.a + step) - lossAt(values.a - step)) / (2 * step);
    const analytic = only(evaluateGraph(wide, at).get(gradient)!);
    expect(numeric).toBeCloseTo(analytic, 6);
    expect(only(castTensor(tensorOf("float64", [1], [analytic]), "float32"))).toBe(1);
  });
});
