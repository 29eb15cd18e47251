/** GatherElements: `y[i, j, k] = x[i, indices[i, j, k], k]` for axis 1. Gradient: a scatter-add. */
import { int, string } from "../graph/attributes.ts";
import { normalizeAxis } from "../tensor/shape.ts";
import { take } from "../tensor/take.ts";
import { tensor } from "../tensor/tensor.ts";
import { elementOffsets } from "./_element-offsets.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const gatherElements = defineOp("GatherElements", {
  inputs: ["data", "indices"],
  attributes: { axis: attr.int(0) },
  infer({ a, I: [x, indices] }) {
    normalizeAxis(a.axis, x.shape.length);
    return [fact(x.dtype, indices.shape)];
  },
  vjp(g, { a, I: [x, indices], GO: [gy], wants }) {
    if (!wants(0)) return [null, null];
    const zeros = g.initializer("zeros", tensor(g.dtype(x), g.shape(x)));
    const attributes = { axis: int(a.axis), reduction: string("add") };
    return [g.op("ScatterElements", [zeros, indices, gy], attributes), null];
  },
  evaluate({ a, I: [x, indices] }) {
    const axis = normalizeAxis(a.axis, x.shape.length);
    return [take(x, indices.shape, elementOffsets(x.shape, indices, axis))];
  },
});
