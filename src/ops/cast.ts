/** Cast to another element type: floats round to nearest even, floats to integers truncate, integers wrap; `x̄` casts back. */
import { int } from "../graph/attributes.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import { dtypeOf, elementTypeOf } from "../tensor/element-type.ts";
import { castTensor, type Tensor } from "../tensor/tensor.ts";
import { linkBroadcast, mapTensor, tensorOfBigInts, toBigInts } from "./_elementwise.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const cast = defineOp("Cast", {
  inputs: ["input"],
  attributes: { to: attr.int(1) },
  infer({ a, I: [x] }) {
    const dtype = dtypeOf(a.to);
    return [{ ...fact(dtype, x.shape), ...(x.dims && !isFloat(dtype) && dtype !== "bool" && { dims: x.dims }) }];
  },
  channels: { link: linkBroadcast },
  vjp: (g, { I: [x], GO: [gy] }) => [g.op("Cast", [gy], { to: int(elementTypeOf(g.dtype(x))) })],
  evaluate: ({ a, I: [x] }) => [convert(x, dtypeOf(a.to))],
});

function convert(x: Tensor, dtype: DType): Tensor {
  if (isFloat(dtype)) return castTensor(x, dtype);
  if (!isFloat(x.dtype)) return tensorOfBigInts(dtype, x.shape, toBigInts(x));
  if (dtype === "bool") return mapTensor(x, (v) => (v === 0 ? 0 : 1), dtype);
  return mapTensor(x, (v) => (Number.isFinite(v) ? v : 0), dtype);
}
