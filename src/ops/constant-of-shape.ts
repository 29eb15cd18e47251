/** ConstantOfShape: a tensor of the given shape filled with one value, float32 zero where left out. */
import type { Dim } from "../graph/graph.ts";
import { sizeOf } from "../tensor/shape.ts";
import { take } from "../tensor/take.ts";
import { scalar, toIntegers } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp, zeroGradient } from "./define-op.ts";
import { fact, knownDims } from "./fact.ts";

export const constantOfShape = defineOp("ConstantOfShape", {
  inputs: ["input"],
  attributes: { value: attr.tensor(scalar(0)) },
  infer({ a, I: [shape] }) {
    const rank = shape.shape[0];
    const dims = knownDims(shape) ?? (typeof rank === "number" ? new Array<Dim>(rank).fill("?") : undefined);
    return [fact(a.value.dtype, dims)];
  },
  vjp: zeroGradient,
  evaluate({ a, I: [shape] }) {
    const dims = toIntegers(shape);
    return [take(a.value, dims, new Int32Array(sizeOf(dims)))];
  },
});
