/** Constant: a tensor, number or list of numbers held in an attribute. */
import { tensorAttribute } from "../graph/attributes.ts";
import { NetpareError } from "../tensor/error.ts";
import { takeAxes } from "../tensor/take.ts";
import { int64s, type Tensor, tensor, tensorOf } from "../tensor/tensor.ts";
import { type AttributesOf, attr } from "./attribute-schema.ts";
import { outputAxis } from "./channels.ts";
import { defineOp, zeroGradient } from "./define-op.ts";
import { constantFact } from "./fact.ts";

const attributes = {
  value: attr.tensor(),
  value_float: attr.float(),
  value_floats: attr.floats(),
  value_int: attr.int(),
  value_ints: attr.ints(),
};

export const constant = defineOp("Constant", {
  inputs: [],
  attributes,
  infer: ({ a }) => [constantFact(contentOf(a))],
  channels: {
    link({ O: [y] }, links) {
      y.shape.forEach((_, axis) => {
        links.free(outputAxis(0, axis));
      });
    },
    shrink({ a, O: [y] }, kept) {
      const maps = y.shape.map((_, axis) => kept(outputAxis(0, axis)));
      return { attributes: { value: tensorAttribute(takeAxes(contentOf(a), maps)) } };
    },
  },
  vjp: zeroGradient,
  evaluate: ({ a }) => [contentOf(a)],
});

/** The tensor that a Constant's attributes hold. */
function contentOf(a: AttributesOf<typeof attributes>): Tensor {
  if (a.value !== undefined) return a.value;
  if (a.value_float !== undefined) return tensorOf("float32", [], [a.value_float]);
  if (a.value_floats !== undefined) return tensorOf("float32", [a.value_floats.length], a.value_floats);
  if (a.value_int !== undefined) return tensor("int64", [], BigInt64Array.of(BigInt(a.value_int)));
  if (a.value_ints !== undefined) return int64s(a.value_ints);
  throw new NetpareError("unsupported", "it holds strings or a sparse tensor, expected a dense tensor of numbers");
}
