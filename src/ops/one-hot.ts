/** OneHot: an axis of size `depth` is inserted that holds `values[1]` at the index and `values[0]` elsewhere. */
import { normalizeAxis, sizeOf } from "../tensor/shape.ts";
import { take } from "../tensor/take.ts";
import { toIntegers } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact, knownDims } from "./fact.ts";

export const oneHot = defineOp("OneHot", {
  inputs: ["indices", "depth", "values"],
  attributes: { axis: attr.int(-1) },
  infer({ a, I: [indices, depth, values] }) {
    const axis = normalizeAxis(a.axis, indices.shape.length + 1);
    return [fact(values.dtype, indices.shape.toSpliced(axis, 0, knownDims(depth)?.[0] ?? "?"))];
  },
  vjp: { notDifferentiable: "its two values are taken as constants" },
  evaluate({ a, I: [indices, depth, values] }) {
    const axis = normalizeAxis(a.axis, indices.shape.length + 1);
    const size = toIntegers(depth)[0]!;
    const tail = sizeOf(indices.shape.slice(axis));
    const hot = new Int32Array(sizeOf(indices.shape) * size);
    toIntegers(indices).forEach((index, i) => {
      const at = index < 0 ? index + size : index;
      if (at >= 0 && at < size) hot[(Math.floor(i / tail) * size + at) * tail + (i % tail)] = 1;
    });
    return [take(values, indices.shape.toSpliced(axis, 0, size), hot)];
  },
});
