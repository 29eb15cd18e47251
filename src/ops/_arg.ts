/** What ArgMax and ArgMin share: the index of the element that beats all others of its group. */
import type { DType } from "../tensor/dtype.ts";
import { normalizeAxis } from "../tensor/shape.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { reducedShape, reduceGroups } from "./_reduce.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp, zeroGradient } from "./define-op.ts";
import { fact } from "./fact.ts";

const dtype: DType = "int64";

/** Defines the operator that finds where `beats` holds against every other; the first of equals, or the last. */
export function defineArg(op: string, beats: (a: number, b: number) => boolean) {
  return defineOp(op, {
    inputs: ["data"],
    attributes: { axis: attr.int(0), keepdims: attr.int(1), select_last_index: attr.int(0) },
    infer({ a, I: [x] }) {
      const axis = normalizeAxis(a.axis, x.shape.length);
      return [fact(dtype, reducedShape(x.shape, [axis], a.keepdims === 1))];
    },
    channels: {
      link({ a, I: [x] }, links) {
        const reduced = normalizeAxis(a.axis, x.shape.length);
        x.shape.forEach((_, axis) => {
          const outer = axis > reduced && a.keepdims === 0 ? axis - 1 : axis;
          if (axis !== reduced) links.tie(inputAxis(0, axis), outputAxis(0, outer));
        });
      },
    },
    vjp: zeroGradient,
    evaluate({ a, I: [x] }) {
      const axis = normalizeAxis(a.axis, x.shape.length);
      const last = a.select_last_index === 1;
      const find = (group: Float64Array) =>
        group.reduce((best, v, i) => (beats(v, group[best]!) || (last && v === group[best]) ? i : best), 0);
      return [tensorOf(dtype, reducedShape(x.shape, [axis], a.keepdims === 1), reduceGroups(x, [axis], find))];
    },
  });
}
