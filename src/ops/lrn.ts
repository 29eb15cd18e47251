/**
 * LRN, local response normalization (Krizhevsky, Sutskever, Hinton 2012): `y = x · s^−β`, `s_c = κ + (α/size) Σ_{j ∈ w(c)} x_j²`
 * over the window w(c) = [c − ⌊(size−1)/2⌋, c + ⌈(size−1)/2⌉] of channels. `x̄ = ȳ · s^−β − (2αβ/size) · x · Σ_{c: j ∈ w(c)} (ȳ·y/s)_c`.
 */
import { int, ints } from "../graph/attributes.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

export const lrn = defineOp("LRN", {
  inputs: ["X"],
  attributes: { size: attr.int(1), alpha: attr.float(1e-4), beta: attr.float(0.75), bias: attr.float(1) },
  infer: ({ I: [x] }) => [fact(x.dtype, x.shape)],
  channels: {
    // A window of neighbours keeps its meaning only where all channels stay; samples and pixels do not mix.
    link({ I: [x] }, links) {
      x.shape.forEach((_, axis) => {
        if (axis !== 1) links.tie(inputAxis(0, axis), outputAxis(0, axis));
      });
    },
  },
  vjp(g, { a, I: [x], O: [y], GO: [gy] }) {
    const [low, high] = reach(a.size);
    const s = g.add(g.scale(windowSum(g, g.mul(x, x), low, high), a.alpha / a.size), g.scalar(a.bias, x));
    const direct = g.mul(gy, g.op("Pow", [s, g.scalar(-a.beta, x)]));
    const pulled = windowSum(g, g.div(g.mul(gy, y), s), high, low);
    return [g.sub(direct, g.mul(x, g.scale(pulled, (2 * a.alpha * a.beta) / a.size)))];
  },
  evaluate({ a, I: [x] }) {
    const values = toNumbers(x);
    const channels = x.shape[1]!;
    const plane = sizeOf(x.shape.slice(2));
    const [low, high] = reach(a.size);
    const y = values.map((value, i) => {
      const c = Math.floor(i / plane) % channels;
      let sum = 0;
      for (let j = Math.max(c - low, 0); j <= Math.min(c + high, channels - 1); j++)
        sum += values[i + (j - c) * plane]! ** 2;
      return value * (a.bias + (a.alpha / a.size) * sum) ** -a.beta;
    });
    return [tensorOf(x.dtype, x.shape, y)];
  },
});

const reach = (size: number): [number, number] => [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];

/** `y_c = Σ x_j` for `c − low ≤ j ≤ c + high`, channels beyond the ends counting as zero. */
function windowSum(g: TypedBuilder, x: string, low: number, high: number): string {
  const shape = g.shape(x);
  const [batch, channels] = shape as [number, number];
  const size = low + high + 1;
  const planes = g.reshape(x, [batch, 1, channels, sizeOf(shape.slice(2))]);
  const means = g.op("AveragePool", [planes], {
    kernel_shape: ints([size, 1]),
    pads: ints([low, 0, high, 0]),
    count_include_pad: int(1),
  });
  return g.reshape(g.scale(means, size), shape);
}
