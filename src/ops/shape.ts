/** Shape: the input's dimensions from `start` to `end`, as int64. */
import type { Dim } from "../graph/graph.ts";
import { int64s } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis } from "./channels.ts";
import { defineOp, zeroGradient } from "./define-op.ts";
import { fact } from "./fact.ts";

export const shape = defineOp("Shape", {
  inputs: ["data"],
  attributes: { start: attr.int(0), end: attr.int() },
  infer({ a, I: [x] }) {
    const dims = range(x.shape, a.start, a.end);
    return [{ ...fact("int64", [dims.length]), dims }];
  },
  channels: {
    link({ I: [x] }, links) {
      x.shape.forEach((_, axis) => {
        links.free(inputAxis(0, axis));
      });
    },
  },
  vjp: zeroGradient,
  evaluate: ({ a, I: [x] }) => [int64s(range(x.shape, a.start, a.end))],
});

/** The dimensions from `start` to `end`, both clamped, negative ones counted from the end. */
function range<D extends Dim>(dims: readonly D[], start: number, end = dims.length): readonly D[] {
  return dims.slice(start, end);
}
