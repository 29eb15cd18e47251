import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { int, ints } from "../../src/graph/attributes.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { int64s, scalar, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { checkOps, type OpCase } from "./check-op.ts";

const awayFromZero = (v: number) => v + Math.sign(v) * 0.1;
const keep = (keepdims: number) => ({ keepdims: int(keepdims) });
const tied = tensorOf("float32", [2, 4], [3, 1, 3, 2, -1, -1, -1, -5]);

const byAttribute = ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd"];

checkOps("reductions", [
  ...byAttribute.flatMap((op): OpCase[] => [
    { op, name: "all axes", inputs: [[2, 3, 4]], draw: awayFromZero },
    {
      op,
      name: "two axes, one negative, dropped",
      inputs: [[2, 3, 4, 5]],
      attributes: { axes: ints([1, -1]), ...keep(0) },
      draw: awayFromZero,
    },
    { op, name: "the first axis", inputs: [[3, 1, 4]], attributes: { axes: ints([0]) }, draw: awayFromZero },
    { op, name: "a vector to a scalar", inputs: [[5]], attributes: keep(0), draw: awayFromZero },
  ]),
  { op: "ReduceSum", name: "all axes", inputs: [[2, 3, 4]] },
  {
    op: "ReduceSum",
    name: "two axes, one negative, dropped",
    inputs: [[2, 3, 4, 5], int64s([1, -1])],
    attributes: keep(0),
  },
  { op: "ReduceSum", name: "no axes by an empty list", inputs: [[2, 3], int64s([])] },
  {
    op: "ReduceSum",
    name: "nothing reduced",
    inputs: [[2, 3], int64s([])],
    attributes: { noop_with_empty_axes: int(1) },
  },
  { op: "ReduceSum", name: "integers", inputs: [tensorOf("int64", [2, 2], [1, 2, 3, 4]), int64s([0])] },
  { op: "ReduceMax", name: "ties", inputs: [tied], attributes: { axes: ints([1]) } },
]);

checkOps("Softmax and LogSoftmax", [
  ...["Softmax", "LogSoftmax"].flatMap((op): OpCase[] => [
    { op, name: "the last axis", inputs: [[3, 7]], draw: (v) => 3 * v },
    { op, name: "a middle axis", inputs: [[2, 5, 3, 2]], attributes: { axis: int(1) } },
    { op, name: "a negative axis", inputs: [[2, 5, 3]], attributes: { axis: int(-3) } },
    { op, name: "large logits", inputs: [tensorOf("float32", [1, 3], [1000, 1001, 999])] },
  ]),
]);

checkOps("ArgMax and ArgMin", [
  ...["ArgMax", "ArgMin"].flatMap((op): OpCase[] => [
    { op, name: "the first axis", inputs: [[4, 5]] },
    { op, name: "a negative axis, dropped", inputs: [[2, 3, 4]], attributes: { axis: int(-2), ...keep(0) } },
    { op, name: "the first of equals", inputs: [tied], attributes: { axis: int(1) } },
    { op, name: "the last of equals", inputs: [tied], attributes: { axis: int(1), select_last_index: int(1) } },
  ]),
]);

describe("equal winners share the cotangent", () => {
  const x = tensorOf("float32", [2, 3], [1, 5, 5, 2, 2, 2]);
  const gradientOf = (emit: (g: TypedBuilder, x: string) => string) => {
    const g = new TypedBuilder("ties");
    const name = g.initializer("x", x);
    const y = emit(g, name);
    const loss = g.reduceSum(
      y,
      g.shape(y).map((_, axis) => axis),
      false,
    );
    g.output(appendGradient(g, loss, [name]).get(name)!);
    return [...evaluateGraph(g.build(), new Map()).values()].map((t) => [...toNumbers(t)])[0];
  };
  const third = Math.fround(1 / 3);
  it.each([
    ["ReduceMax", [0, 0.5, 0.5, third, third, third]],
    ["ReduceMin", [1, 0, 0, third, third, third]],
  ])("%s", (op, expected) => {
    expect(gradientOf((g, name) => g.op(op, [name], { axes: ints([1]) }))).toEqual(expected);
  });
  it.each([
    ["Max", [0, 0.5, 0.5, 0, 0, 0]],
    ["Min", [1, 0.5, 0.5, 1, 1, 1]],
  ])("%s", (op, expected) => {
    expect(gradientOf((g, name) => g.op(op, [name, g.initializer("five", scalar(5))]))).toEqual(expected);
  });
});
