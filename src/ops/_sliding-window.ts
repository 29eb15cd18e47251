/**
 * The geometry that convolutions and pools share. On each spatial axis, tap `k` of window `o` reads the input at
 * `i = o·stride + k·dilation − before`, and there are `output = ⌊(input + before + after − extent) / stride⌋ + 1` windows of
 * `extent = (kernel − 1)·dilation + 1` (⌈ ⌉ with ceil_mode, but no window starts in the padding at the end).
 */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { attr } from "./attribute-schema.ts";

/** The attributes by which ONNX describes windows. */
export const windowAttributes = {
  auto_pad: attr.string("NOTSET"),
  kernel_shape: attr.ints(),
  strides: attr.ints(),
  pads: attr.ints(),
  dilations: attr.ints(),
};

interface WindowSettings {
  readonly auto_pad: string;
  readonly strides: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly dilations: readonly number[] | undefined;
}

/** One spatial axis of a sliding window. */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/** Elements that a window spans on an axis, gaps included. */
export const extentOf = ({ kernel, dilation }: Pick<WindowAxis, "kernel" | "dilation">) => (kernel - 1) * dilation + 1;

/**
 * The windows over an input of spatial shape `input`.
 * @throws NetpareError `bad-shape` where a window does not fit into the padded input.
 */
export function windowAxes(a: WindowSettings, kernel: Shape, input: Shape, ceilMode = false): WindowAxis[] {
  return input.map((size, axis) => windowAxis(a, kernel[axis]!, size, axis, input.length, ceilMode));
}

/** Sizes of the outputs of windows over an input of spatial shape `input`; "?" where that is dynamic. */
export function windowDims(
  a: WindowSettings,
  kernel: readonly Dim[],
  input: readonly Dim[],
  ceilMode = false,
): readonly Dim[] {
  checkWindows(a, input.length);
  return input.map((dim, axis) => {
    const size = kernel[axis]!;
    if (typeof size === "string") return "?";
    const outputOf = (n: number) => windowAxis(a, size, n, axis, input.length, ceilMode).output;
    if (typeof dim === "number") return outputOf(dim);
    // A window that keeps two large sizes keeps every size, so the symbol survives.
    return [1e6, 1e6 + 1].every((n) => outputOf(n) === n) ? dim : "?";
  });
}

/** @throws NetpareError `bad-model` where strides, dilations or pads do not go with `rank` spatial axes, or make no sense. */
export function checkWindows(a: WindowSettings, rank: number): void {
  const check = (name: string, values: readonly number[] | undefined, count: number, least: number) => {
    if (values !== undefined && (values.length !== count || values.some((value) => value < least)))
      throw new NetpareError("bad-model", `${name} [${values}] should be ${count} numbers of at least ${least}`);
  };
  check("strides", a.strides, rank, 1);
  check("dilations", a.dilations, rank, 1);
  if (a.auto_pad === "NOTSET") check("pads", a.pads, 2 * rank, 0);
}

function windowAxis(
  a: WindowSettings,
  kernel: number,
  input: number,
  axis: number,
  rank: number,
  ceilMode: boolean,
): WindowAxis {
  const stride = a.strides?.[axis] ?? 1;
  const dilation = a.dilations?.[axis] ?? 1;
  const extent = extentOf({ kernel, dilation });
  if (a.auto_pad === "SAME_UPPER" || a.auto_pad === "SAME_LOWER") {
    const output = Math.ceil(input / stride);
    const total = Math.max((output - 1) * stride + extent - input, 0);
    const less = Math.floor(total / 2);
    const before = a.auto_pad === "SAME_UPPER" ? less : total - less;
    return { input, output, kernel, stride, dilation, before, after: total - before };
  }
  const padded = a.auto_pad !== "VALID";
  const before = padded ? (a.pads?.[axis] ?? 0) : 0;
  const after = padded ? (a.pads?.[axis + rank] ?? 0) : 0;
  const room = input + before + after - extent;
  if (room < 0)
    throw new NetpareError(
      "bad-shape",
      `a window of ${extent} does not fit into ${input} padded by ${before} and ${after} (spatial axis ${axis})`,
    );
  let output = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  if (ceilMode && (output - 1) * stride >= input + before) output--;
  return { input, output, kernel, stride, dilation, before, after };
}

/** Whether windows lie side by side from the first element on, so that each element is read at most once. */
export function isTiling(axes: readonly WindowAxis[]): boolean {
  return axes.every(
    (axis) => axis.stride === axis.kernel && axis.dilation === 1 && axis.before === 0 && overhang(axis) <= 0,
  );
}

/** Elements that the windows reach past the end of an axis; negative where its last elements are never read. */
export function overhang(axis: WindowAxis): number {
  return (axis.output - 1) * axis.stride + extentOf(axis) - axis.input - axis.before;
}

/** Pads, in ONNX's order, of exactly what the windows reach. */
export function overlapPads(axes: readonly WindowAxis[]): number[] {
  return [...axes.map((axis) => axis.before), ...axes.map((axis) => Math.max(overhang(axis), 0))];
}

/** Elements at the end of each axis that no window reads: ConvTranspose's output_padding. */
export function outputPadding(axes: readonly WindowAxis[]): number[] {
  return axes.map((axis) => Math.max(-overhang(axis), 0));
}

/** The indices of a kernel's taps in row-major order. */
export function tapsOf(kernel: Shape): number[][] {
  let taps: number[][] = [[]];
  for (const size of kernel) taps = taps.flatMap((tap) => Array.from({ length: size }, (_, k) => [...tap, k]));
  return taps;
}

/**
 * For each tap of the kernel, in row-major order, the offset in the input plane that each window reads there; -1 in the
 * padding.
 */
export function tapOffsets(axes: readonly WindowAxis[]): Int32Array[] {
  const inputStrides = stridesOf(axes.map((axis) => axis.input));
  const windows = sizeOf(axes.map((axis) => axis.output));
  return tapsOf(axes.map((axis) => axis.kernel)).map((tap) => {
    const offsets = new Int32Array(windows);
    let block = windows;
    axes.forEach(({ input, output, stride, dilation, before }, axis) => {
      block /= output;
      for (let w = 0; w < windows; w++) {
        const at = (Math.floor(w / block) % output) * stride + tap[axis]! * dilation - before;
        if (at < 0 || at >= input) offsets[w] = -1;
        else if (offsets[w]! >= 0) offsets[w]! += at * inputStrides[axis]!;
      }
    });
    return offsets;
  });
}

/** How many elements each window covers inside the input, or inside the padded input. */
export function windowCounts(axes: readonly WindowAxis[], includePad: boolean): Float64Array {
  let counts = [1];
  for (const { input, output, kernel, stride, dilation, before, after } of axes) {
    const [low, high] = includePad ? [-before, input + after] : [0, input];
    const along = Array.from({ length: output }, (_, w) => {
      let count = 0;
      for (let k = 0; k < kernel; k++) {
        const at = w * stride + k * dilation - before;
        if (at >= low && at < high) count++;
      }
      return count;
    });
    counts = counts.flatMap((outer) => along.map((inner) => outer * inner));
  }
  return Float64Array.from(counts);
}
