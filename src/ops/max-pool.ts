/**
 * MaxPool: the largest element under each window, and where asked its index in the whole tensor (the first of equals).
 * Gradient: _max-pool-gradient.
 */
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { maxPoolGradient } from "./_max-pool-gradient.ts";
import { linkPool, requireKernel } from "./_pool.ts";
import { tapOffsets, windowAttributes, windowAxes, windowDims } from "./_sliding-window.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const maxPool = defineOp("MaxPool", {
  inputs: ["X"],
  attributes: { ...windowAttributes, ceil_mode: attr.int(0), storage_order: attr.int(0) },
  infer({ a, I: [x] }) {
    const spatial = windowDims(a, requireKernel(a.kernel_shape), x.shape.slice(2), a.ceil_mode !== 0);
    const shape = [...x.shape.slice(0, 2), ...spatial];
    return [fact(x.dtype, shape), fact("int64", shape)];
  },
  channels: { link: linkPool },
  vjp(g, { node, a, I: [x], O: [y], GO: [gy] }) {
    const axes = windowAxes(a, requireKernel(a.kernel_shape), g.shape(x).slice(2), a.ceil_mode !== 0);
    return [maxPoolGradient(g, node, [x, y, gy], axes)];
  },
  evaluate({ node, a, I: [x] }) {
    const spatial = x.shape.slice(2);
    const axes = windowAxes(a, requireKernel(a.kernel_shape), spatial, a.ceil_mode !== 0);
    const taps = tapOffsets(axes);
    const plane = sizeOf(spatial);
    const windows = sizeOf(axes.map((axis) => axis.output));
    const values = toNumbers(x);
    const planes = values.length / plane;
    const y = new Float64Array(planes * windows).fill(Number.NEGATIVE_INFINITY);
    const where = new Float64Array(y.length);
    for (let p = 0; p < planes; p++)
      for (const offsets of taps)
        for (let w = 0; w < windows; w++) {
          const [from, to] = [p * plane + offsets[w]!, p * windows + w];
          if (offsets[w]! < 0 || values[from]! <= y[to]!) continue;
          y[to] = values[from]!;
          where[to] = a.storage_order === 0 ? from : p * plane + columnMajor(offsets[w]!, spatial);
        }
    const shape = [...x.shape.slice(0, 2), ...axes.map((axis) => axis.output)];
    const pooled = tensorOf(x.dtype, shape, y);
    return node.outputs.length > 1 ? [pooled, tensorOf("int64", shape, where)] : [pooled];
  },
});

/** The column-major offset of a row-major one. */
function columnMajor(offset: number, shape: readonly number[]): number {
  let [rest, result] = [offset, 0];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result += (rest % shape[axis]!) * sizeOf(shape.slice(0, axis));
    rest = Math.floor(rest / shape[axis]!);
  }
  return result;
}
