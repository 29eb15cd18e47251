/** Gradient building blocks over the spatial axes: slices, paddings and enlargements of `(N, C, …)`. */
import { string } from "../graph/attributes.ts";
import { sizeOf } from "../tensor/shape.ts";
import { int64s, tensorOf } from "../tensor/tensor.ts";
import { overhang, type WindowAxis } from "./_sliding-window.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** `x[…, start:end:step, …]` on `axes`. */
export function slice(
  g: TypedBuilder,
  x: string,
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[],
  steps: readonly number[] = axes.map(() => 1),
): string {
  const constants = [starts, ends, axes, steps].map((values) => g.initializer("slice", int64s(values)));
  return g.op("Slice", [x, ...constants]);
}

/** `x` without what lies behind the last window of each axis. */
export function trimEnd(g: TypedBuilder, x: string, axes: readonly WindowAxis[]): string {
  const unread = axes.flatMap((axis, i) => (overhang(axis) < 0 ? [i] : []));
  if (unread.length === 0) return x;
  return slice(
    g,
    x,
    unread.map(() => 0),
    unread.map((i) => axes[i]!.input + overhang(axes[i]!)),
    unread.map((i) => i + 2),
  );
}

/** Undoes `trimEnd`: zeros where it cut. */
export function padEnd(g: TypedBuilder, x: string, axes: readonly WindowAxis[]): string {
  return pad(
    g,
    x,
    axes.map(() => 0),
    axes.map((axis) => Math.max(-overhang(axis), 0)),
  );
}

/** `x` with its padding written out, of zeros or of `value`. */
export function padSpatial(g: TypedBuilder, x: string, axes: readonly WindowAxis[], value?: string): string {
  return pad(
    g,
    x,
    axes.map((axis) => axis.before),
    axes.map((axis) => Math.max(overhang(axis), 0)),
    value,
  );
}

function pad(g: TypedBuilder, x: string, before: readonly number[], after: readonly number[], value?: string): string {
  if ([...before, ...after].every((amount) => amount === 0)) return x;
  const pads = g.initializer("pads", int64s([0, 0, ...before, 0, 0, ...after]));
  return g.op("Pad", value === undefined ? [x, pads] : [x, pads, value]);
}

/** Repeats each element `factors` times along the spatial axes. */
export function enlarge(g: TypedBuilder, x: string, factors: readonly number[]): string {
  const spatial = g.shape(x).slice(2);
  if (factors.every((factor) => factor === 1)) return x;
  if (spatial.every((size) => size === 1))
    return g.op("Expand", [x, g.initializer("shape", int64s([...g.shape(x).slice(0, 2), ...factors]))]);
  const scales = g.initializer("scales", tensorOf("float32", [factors.length + 2], [1, 1, ...factors]));
  return g.op("Resize", [x, "", scales], {
    mode: string("nearest"),
    coordinate_transformation_mode: string("asymmetric"),
    nearest_mode: string("floor"),
  });
}

/**
 * `y[…, i, …] = Σ_j matrix[i·n + j] · x[…, j, …]` along an axis of `n` elements, for a constant matrix with `rows` rows.
 */
export function multiplyAxis(g: TypedBuilder, x: string, axis: number, rows: number, matrix: Float64Array): string {
  const shape = g.shape(x);
  const n = shape[axis]!;
  const tail = sizeOf(shape.slice(axis + 1));
  const result = shape.map((dim, at) => (at === axis ? rows : dim));
  if (tail > 1) {
    const left = g.initializer("matrix", tensorOf(g.dtype(x), [rows, n], matrix));
    return g.reshape(g.op("MatMul", [left, g.reshape(x, [sizeOf(shape.slice(0, axis)), n, tail])]), result);
  }
  const transposed = Float64Array.from({ length: n * rows }, (_, i) => matrix[(i % rows) * n + Math.floor(i / rows)]!);
  const right = g.initializer("matrix", tensorOf(g.dtype(x), [n, rows], transposed));
  return g.reshape(g.op("MatMul", [g.reshape(x, [sizeOf(shape) / n, n]), right]), result);
}
