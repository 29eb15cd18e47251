/** GlobalAveragePool: the mean of each channel's plane, `(N, C, H, W) → (N, C, 1, 1)`; `x̄ = ȳ / (H·W)` on every pixel. */
import { sizeOf } from "../tensor/shape.ts";
import { int64s, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { inferGlobalPool, linkPool } from "./_pool.ts";
import { defineOp } from "./define-op.ts";

export const globalAveragePool = defineOp("GlobalAveragePool", {
  inputs: ["X"],
  attributes: {},
  infer: ({ I: [x] }) => inferGlobalPool(x),
  channels: { link: linkPool },
  vjp(g, { I: [x], GO: [gy] }) {
    const shape = g.shape(x);
    const share = g.scale(gy, 1 / sizeOf(shape.slice(2)));
    return [g.op("Expand", [share, g.initializer("shape", int64s(shape))])];
  },
  evaluate({ I: [x] }) {
    const values = toNumbers(x);
    const plane = sizeOf(x.shape.slice(2));
    const means = Float64Array.from({ length: values.length / plane }, (_, i) => {
      let sum = 0;
      for (let j = i * plane; j < (i + 1) * plane; j++) sum += values[j]!;
      return sum / plane;
    });
    return [
      tensorOf(
        x.dtype,
        x.shape.map((dim, axis) => (axis < 2 ? dim : 1)),
        means,
      ),
    ];
  },
});
