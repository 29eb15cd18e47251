/** Size: the number of elements, an int64 scalar. */
import { sizeOf } from "../tensor/shape.ts";
import { tensor } from "../tensor/tensor.ts";
import { inputAxis } from "./channels.ts";
import { defineOp, zeroGradient } from "./define-op.ts";
import { fact, multiplyDims } from "./fact.ts";

export const size = defineOp("Size", {
  inputs: ["data"],
  attributes: {},
  infer: ({ I: [x] }) => [{ ...fact("int64", []), dims: [multiplyDims(x.shape)] }],
  channels: {
    link({ I: [x] }, links) {
      x.shape.forEach((_, axis) => {
        links.free(inputAxis(0, axis));
      });
    },
  },
  vjp: zeroGradient,
  evaluate: ({ I: [x] }) => [tensor("int64", [], BigInt64Array.of(BigInt(sizeOf(x.shape))))],
});
