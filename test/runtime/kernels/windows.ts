/** Windows of odd shapes, and the plain float64 reference of what a kernel does with them. */
import type { Window } from "../../../src/runtime/kernels/pack.ts";

/** A window over `h` x `w`, its output's size from the pads [top, left, bottom, right]. */
export function windowOf(
  [h, w]: readonly [number, number],
  kernel: readonly [number, number],
  {
    strides = [1, 1],
    dilations = [1, 1],
    pads = [0, 0, 0, 0],
  }: {
    strides?: readonly [number, number];
    dilations?: readonly [number, number];
    pads?: readonly [number, number, number, number];
  } = {},
): Window {
  const [top, left, bottom, right] = pads;
  const oh = Math.floor((h + top + bottom - (kernel[0] - 1) * dilations[0] - 1) / strides[0]) + 1;
  const ow = Math.floor((w + left + right - (kernel[1] - 1) * dilations[1] - 1) / strides[1]) + 1;
  return { h, w, kernel, strides, dilations, top, left, oh, ow };
}

/** Maps of a multiple of 8 pixels a row and others, down to one pixel; strides above the kernel, dilations, uneven pads. */
export const windows: readonly Window[] = [
  windowOf([8, 8], [3, 3], { pads: [1, 1, 1, 1] }),
  windowOf([5, 16], [3, 3], { pads: [1, 1, 1, 1] }),
  windowOf([4, 4], [3, 3], { pads: [1, 1, 1, 1] }),
  windowOf([7, 7], [3, 3], { pads: [1, 1, 1, 1] }),
  windowOf([9, 13], [3, 5], { strides: [2, 2], pads: [1, 2, 0, 1] }),
  windowOf([12, 34], [2, 3], { strides: [1, 2], pads: [0, 0, 1, 0] }),
  windowOf([11, 10], [3, 3], { dilations: [2, 3], pads: [2, 3, 2, 3] }),
  windowOf([13, 11], [2, 2], { strides: [3, 3], pads: [1, 0, 0, 1] }),
  windowOf([10, 9], [1, 1], { strides: [2, 2] }),
  windowOf([6, 6], [1, 1]),
  windowOf([8, 4], [1, 1]),
  windowOf([3, 3], [3, 3]),
  windowOf([2, 2], [3, 3], { pads: [1, 1, 1, 1] }),
  windowOf([1, 1], [3, 3], { pads: [1, 1, 1, 1] }),
  windowOf([2, 3], [5, 5], { pads: [3, 3, 3, 3], strides: [2, 4] }),
  windowOf([7, 8], [3, 3], { dilations: [3, 2], strides: [2, 3], pads: [2, 2, 2, 2] }),
];

/** A window in words, for messages. */
export const nameOf = (v: Window) => `${v.kernel} over ${v.h}x${v.w}, strides ${v.strides}, dilations ${v.dilations}`;

/** What tap (ky, kx) of output (y, x) reads in channel `c`, or `undefined` in the padding. */
export function at(x: ArrayLike<number>, v: Window, c: number, [y, q]: readonly number[], [ky, kx]: readonly number[]) {
  const iy = y! * v.strides[0] + ky! * v.dilations[0] - v.top;
  const ix = q! * v.strides[1] + kx! * v.dilations[1] - v.left;
  return iy < 0 || iy >= v.h || ix < 0 || ix >= v.w ? undefined : x[(c * v.h + iy) * v.w + ix]!;
}

/** Visits every output pixel, row-major. */
export function* pixelsOf(v: Window) {
  for (let y = 0; y < v.oh; y++) for (let x = 0; x < v.ow; x++) yield [y, x] as const;
}

/** Visits every tap, row-major. */
export function* tapsOf(v: Window) {
  for (let y = 0; y < v.kernel[0]; y++) for (let x = 0; x < v.kernel[1]; x++) yield [y, x] as const;
}

/** Convolution of `x` (C, h, w) with `weights` (O, C kh kw), in float64. */
export function convolve(
  x: ArrayLike<number>,
  v: Window,
  channels: number,
  weights: ArrayLike<number>,
  outputs: number,
) {
  const out: number[] = [];
  for (let o = 0; o < outputs; o++)
    for (const pixel of pixelsOf(v)) {
      let sum = 0;
      let k = o * channels * v.kernel[0] * v.kernel[1];
      for (let c = 0; c < channels; c++)
        for (const tap of tapsOf(v)) sum += weights[k++]! * (at(x, v, c, pixel, tap) ?? 0);
      out.push(sum);
    }
  return out;
}
