/**
 * Clip: `y = min(max(x, low), high)`, either bound optional; `x̄ = ȳ · [x = y]`, and a bound gets the cotangents of the
 * elements it holds.
 */
import { toNumbers } from "../tensor/tensor.ts";
import { equals, linkBroadcast, mapTensor } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";

export const clip = defineOp("Clip", {
  inputs: ["input", "min?", "max?"],
  attributes: {},
  infer: ({ I: [x] }) => [{ dtype: x.dtype, shape: x.shape }],
  channels: { link: linkBroadcast },
  vjp(g, { I: [x, low, high], O: [y], GO: [gy], wants }) {
    return [
      wants(0) ? g.mul(gy, equals(g, x, y)) : null,
      low !== undefined && wants(1) ? g.mul(gy, g.positive(g.sub(low, x))) : null,
      high !== undefined && wants(2) ? g.mul(gy, g.positive(g.sub(x, high))) : null,
    ];
  },
  evaluate({ I: [x, low, high] }) {
    const from = low ? toNumbers(low)[0]! : -Infinity;
    const to = high ? toNumbers(high)[0]! : Infinity;
    return [mapTensor(x, (v) => Math.min(Math.max(v, from), to))];
  },
});
