/**
 * The gradient of MaxPool without indices: an element that equals its window's maximum receives the window's cotangent, equal
 * shares among ties, so that the total is conserved: `x̄[i] = Σ_{w ∋ i} [x[i] = y[w]] · ȳ[w] / ties[w]`.
 * Windows that tile the input compare with the enlarged output; others compare tap by tap and are put back by a
 * ConvTranspose with one-hot kernels.
 */
import { float, int, ints } from "../graph/attributes.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { isTiling, outputPadding, overlapPads, tapsOf, type WindowAxis } from "./_sliding-window.ts";
import { enlarge, padEnd, padSpatial, slice, trimEnd } from "./_spatial.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** The cotangent of `x` for the cotangent `gy` of `y = MaxPool(x)`. */
export function maxPoolGradient(
  g: TypedBuilder,
  x: string,
  y: string,
  gy: string,
  axes: readonly WindowAxis[],
): string {
  return isTiling(axes) ? tiled(g, x, y, gy, axes) : overlapping(g, x, y, gy, axes);
}

function tiled(g: TypedBuilder, x: string, y: string, gy: string, axes: readonly WindowAxis[]): string {
  const kernel = axes.map((axis) => axis.kernel);
  const isMax = isMaximum(g, trimEnd(g, x, axes), enlarge(g, y, kernel));
  const ties = g.scale(
    g.op("AveragePool", [isMax], { kernel_shape: ints(kernel), strides: ints(kernel) }),
    sizeOf(kernel),
  );
  return padEnd(g, g.mul(isMax, enlarge(g, g.div(gy, ties), kernel)), axes);
}

function overlapping(g: TypedBuilder, x: string, y: string, gy: string, axes: readonly WindowAxis[]): string {
  const padded = padSpatial(g, x, axes, g.initializer("lowest", tensorOf(g.dtype(x), [], [-3e38])));
  const [batch, channels] = g.shape(x) as [number, number];
  const kernel = axes.map((axis) => axis.kernel);
  const windows = axes.map((axis) => axis.output);
  const taps = tapsOf(kernel);
  const masks = taps.map((tap) => {
    const starts = axes.map((axis, i) => tap[i]! * axis.dilation);
    const ends = axes.map((axis, i) => starts[i]! + (axis.output - 1) * axis.stride + 1);
    const read = slice(
      g,
      padded,
      starts,
      ends,
      axes.map((_, i) => i + 2),
      axes.map((axis) => axis.stride),
    );
    return g.reshape(isMaximum(g, read, y), [batch * channels, 1, ...windows]);
  });
  const isMax = g.op("Concat", masks, { axis: int(1) }); // (N·C, k·k, OH, OW)
  const share = g.div(g.reshape(gy, [batch * channels, 1, ...windows]), g.reduceSum(isMax, [1]));
  const oneHot = Float64Array.from({ length: taps.length ** 2 }, (_, i) => (i % (taps.length + 1) === 0 ? 1 : 0));
  const placed = g.op(
    "ConvTranspose",
    [g.mul(isMax, share), g.initializer("taps", tensorOf(g.dtype(x), [taps.length, 1, ...kernel], oneHot))],
    {
      strides: ints(axes.map((axis) => axis.stride)),
      dilations: ints(axes.map((axis) => axis.dilation)),
      pads: ints(overlapPads(axes)),
      output_padding: ints(outputPadding(axes)),
    },
  );
  return g.reshape(placed, g.shape(x));
}

/** 1 where `x` reaches its maximum `y ≥ x`, 0 elsewhere: on floats faster in onnxruntime than Equal and Cast. */
export function isMaximum(g: TypedBuilder, x: string, y: string): string {
  return g.op("HardSigmoid", [g.sub(x, y)], { alpha: float(3e38), beta: float(1) });
}
