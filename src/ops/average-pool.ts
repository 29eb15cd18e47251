/**
 * AveragePool: the mean under each window, over its elements inside the input or, with count_include_pad, inside the padded
 * input. `x̄[i] = Σ_w ȳ[w] / count[w]` over the windows `w` that read `i` (form: _average-pool-gradient).
 */
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { averagePoolGradient } from "./_average-pool-gradient.ts";
import { linkPool, requireKernel } from "./_pool.ts";
import { tapOffsets, windowAttributes, windowAxes, windowCounts, windowDims } from "./_sliding-window.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const averagePool = defineOp("AveragePool", {
  inputs: ["X"],
  attributes: { ...windowAttributes, ceil_mode: attr.int(0), count_include_pad: attr.int(0) },
  infer({ a, I: [x] }) {
    const spatial = windowDims(a, requireKernel(a.kernel_shape), x.shape.slice(2), a.ceil_mode !== 0);
    return [fact(x.dtype, [...x.shape.slice(0, 2), ...spatial])];
  },
  channels: { link: linkPool },
  vjp(g, { a, I: [x], GO: [gy] }) {
    const axes = windowAxes(a, requireKernel(a.kernel_shape), g.shape(x).slice(2), a.ceil_mode !== 0);
    return [averagePoolGradient(g, gy, axes, windowCounts(axes, a.count_include_pad !== 0))];
  },
  evaluate({ a, I: [x] }) {
    const spatial = x.shape.slice(2);
    const axes = windowAxes(a, requireKernel(a.kernel_shape), spatial, a.ceil_mode !== 0);
    const taps = tapOffsets(axes);
    const counts = windowCounts(axes, a.count_include_pad !== 0);
    const plane = sizeOf(spatial);
    const values = toNumbers(x);
    const means = new Float64Array((values.length / plane) * counts.length);
    for (let p = 0; p < values.length / plane; p++)
      counts.forEach((count, w) => {
        let sum = 0;
        for (const offsets of taps) if (offsets[w]! >= 0) sum += values[p * plane + offsets[w]!]!;
        means[p * counts.length + w] = sum / count;
      });
    return [tensorOf(x.dtype, [...x.shape.slice(0, 2), ...axes.map((axis) => axis.output)], means)];
  },
});
