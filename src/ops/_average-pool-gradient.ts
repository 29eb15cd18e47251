/**
 * The gradient of AveragePool, `x̄[i] = Σ_{w ∋ i} ȳ[w] / count[w]`: windows that tile the input enlarge the cotangent, others
 * add up by a product with a 0/1 matrix along each axis, twice as fast in onnxruntime as a ConvTranspose with ones.
 */
import { tensorOf } from "../tensor/tensor.ts";
import { isTiling, type WindowAxis } from "./_sliding-window.ts";
import { enlarge, multiplyAxis, padEnd } from "./_spatial.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** The cotangent of the input, for windows that cover `counts` elements each. */
export function averagePoolGradient(
  g: TypedBuilder,
  gy: string,
  axes: readonly WindowAxis[],
  counts: Float64Array,
): string {
  const windows = axes.map((axis) => axis.output);
  const shares = tensorOf(
    g.dtype(gy),
    windows,
    counts.map((count) => 1 / count),
  );
  const isUniform = counts.every((count) => count === counts[0]);
  const share = isUniform ? g.scale(gy, 1 / counts[0]!) : g.mul(gy, g.initializer("shares", shares));
  const kernel = axes.map((axis) => axis.kernel);
  if (isTiling(axes)) return padEnd(g, enlarge(g, share, kernel), axes);
  return axes.reduce((spread, axis, i) => multiplyAxis(g, spread, i + 2, axis.input, coverage(axis)), share);
}

/** `[input i is read by window w]`, `(input, output)`. */
function coverage({ input, output, kernel, stride, dilation, before }: WindowAxis): Float64Array {
  const matrix = new Float64Array(input * output);
  for (let w = 0; w < output; w++)
    for (let k = 0; k < kernel; k++) {
      const i = w * stride + k * dilation - before;
      if (i >= 0 && i < input) matrix[i * output + w] = 1;
    }
  return matrix;
}
