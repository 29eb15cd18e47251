/** GatherND: the last axis of `indices` addresses elements or sub-tensors of `data`, after `batch_dims` shared leading axes. */
import { NetpareError } from "../tensor/error.ts";
import { sizeOf, stridesOf } from "../tensor/shape.ts";
import { take } from "../tensor/take.ts";
import { toIntegers } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const gatherND = defineOp("GatherND", {
  inputs: ["data", "indices"],
  attributes: { batch_dims: attr.int(0) },
  infer({ a, I: [x, indices] }) {
    const depth = indices.shape.at(-1);
    if (typeof depth !== "number") return [fact(x.dtype, undefined)];
    if (a.batch_dims + depth > x.shape.length)
      throw new NetpareError(
        "bad-shape",
        `indices address ${a.batch_dims + depth} axes and data has ${x.shape.length}`,
      );
    return [fact(x.dtype, [...indices.shape.slice(0, -1), ...x.shape.slice(a.batch_dims + depth)])];
  },
  vjp: { notDifferentiable: "it stands in no network that netpare trains; use Gather" },
  evaluate({ a, I: [x, indices] }) {
    const depth = indices.shape.at(-1)!;
    const first = a.batch_dims;
    const block = sizeOf(x.shape.slice(first + depth));
    const rows = toIntegers(indices);
    const count = sizeOf(indices.shape.slice(0, -1));
    const perBatch = count / sizeOf(x.shape.slice(0, first));
    const batchStride = sizeOf(x.shape.slice(first));
    const strides = stridesOf(x.shape);
    const offsets = new Int32Array(count * block);
    for (let row = 0; row < count; row++) {
      let base = Math.floor(row / perBatch) * batchStride;
      for (let k = 0; k < depth; k++) {
        const dim = x.shape[first + k]!;
        const index = rows[row * depth + k]!;
        if (index < -dim || index >= dim)
          throw new NetpareError("bad-data", `index ${index} is outside an axis of ${dim}`);
        base += (index < 0 ? index + dim : index) * strides[first + k]!;
      }
      for (let i = 0; i < block; i++) offsets[row * block + i] = base + i;
    }
    return [take(x, [...indices.shape.slice(0, -1), ...x.shape.slice(first + depth)], offsets)];
  },
});
