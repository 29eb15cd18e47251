/**
 * ScatterElements: a copy of `data` in which `y[i, indices[i, j, k], k] ← updates[i, j, k]` for axis 1; the reduction says how
 * an update joins what is there. Gradient for "add", and for "none" where no two indices meet.
 */
import { int, string } from "../graph/attributes.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis } from "../tensor/shape.ts";
import { tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { elementOffsets } from "./_element-offsets.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

const reductions: Readonly<Record<string, (held: number, update: number) => number>> = {
  none: (_, update) => update,
  add: (held, update) => held + update,
  mul: (held, update) => held * update,
  max: Math.max,
  min: Math.min,
};

export const scatterElements = defineOp("ScatterElements", {
  inputs: ["data", "indices", "updates"],
  attributes: { axis: attr.int(0), reduction: attr.string("none") },
  infer({ a, I: [x] }) {
    normalizeAxis(a.axis, x.shape.length);
    if (reductions[a.reduction] === undefined)
      throw new NetpareError("bad-model", `reduction is '${a.reduction}', expected none, add, mul, max or min`);
    return [fact(x.dtype, x.shape)];
  },
  vjp(g, { a, I: [, indices, updates], GO: [gy], wants }) {
    if (a.reduction !== "add" && a.reduction !== "none")
      throw new NetpareError("unsupported", `a ScatterElements with reduction ${a.reduction} has no gradient here`);
    const axis = int(a.axis);
    const gu = wants(2) ? g.op("GatherElements", [gy, indices], { axis }) : null;
    if (a.reduction === "add" || !wants(0)) return [gy, null, gu];
    const zeros = g.initializer("zeros", tensor(g.dtype(updates), g.shape(updates)));
    return [g.op("ScatterElements", [gy, indices, zeros], { axis, reduction: string("none") }), null, gu];
  },
  evaluate({ a, I: [x, indices, updates] }) {
    const join = reductions[a.reduction]!;
    const y = toNumbers(x).slice();
    const from = toNumbers(updates);
    elementOffsets(x.shape, indices, normalizeAxis(a.axis, x.shape.length)).forEach((offset, i) => {
      y[offset] = join(y[offset]!, from[i]!);
    });
    return [tensorOf(x.dtype, x.shape, y)];
  },
});
