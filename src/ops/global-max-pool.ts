/** GlobalMaxPool: the largest element of each plane, `(N, C, H, W) → (N, C, 1, 1)`; its cotangent goes to it, in equal shares to ties. */
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { isMaximum } from "./_max-pool-gradient.ts";
import { inferGlobalPool, linkPool } from "./_pool.ts";
import { defineOp } from "./define-op.ts";

export const globalMaxPool = defineOp("GlobalMaxPool", {
  inputs: ["X"],
  attributes: {},
  infer: ({ I: [x] }) => inferGlobalPool(x),
  channels: { link: linkPool },
  vjp(g, { I: [x], O: [y], GO: [gy] }) {
    const mask = isMaximum(g, x, y);
    const spatial = g.shape(x).flatMap((_, axis) => (axis < 2 ? [] : [axis]));
    return [g.mul(mask, g.div(gy, g.reduceSum(mask, spatial)))];
  },
  evaluate({ I: [x] }) {
    const values = toNumbers(x);
    const plane = sizeOf(x.shape.slice(2));
    const maxima = Float64Array.from({ length: values.length / plane }, (_, i) =>
      values.subarray(i * plane, (i + 1) * plane).reduce((a, b) => Math.max(a, b)),
    );
    return [
      tensorOf(
        x.dtype,
        x.shape.map((dim, axis) => (axis < 2 ? dim : 1)),
        maxima,
      ),
    ];
  },
});
