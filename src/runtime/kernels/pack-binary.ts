/**
 * Layers of binary weights as streams of offsets into planes of sums, which `sign-sums` and `sums` write: a block of channels is one plane, which
 * the signs of its weights choose.
 */
import type { Planes } from "./pack.ts";

/** The signs of a layer's weights: 1 is negative, (O, C, taps). */
export interface Signs {
  readonly signs: ArrayLike<number>;
  readonly outputs: number;
  readonly channels: number;
  /** Byte offsets of the taps in a plane. */
  readonly taps: ArrayLike<number>;
}

/** How `xnor-conv` takes a layer. */
export interface XnorPlan {
  /** Channels of a block. */
  readonly group: number;
  /** Offsets whose sums fit bytes. */
  readonly part: number;
}

/** Pixels of a map up to which blocks of six channels are worth the memory of their 64 planes. */
const smallMap = 1024;
/** Time of a plane's making beside that of its adding. */
const planeCost = 2.3;

/** The blocks that take least time: the larger, the fewer additions, and the more planes to be made. */
export function planXnor({ outputs, channels, taps }: Omit<Signs, "signs">, pixels: number): XnorPlan {
  const cost = (g: number) => Math.ceil(channels / g) * (planeCost * 2 ** g + outputs * taps.length);
  const sizes = pixels <= smallMap ? [4, 5, 6] : [4, 5];
  const group = sizes.reduce((best, g) => (cost(g) < cost(best) ? g : best));
  const most = Math.floor(127 / group);
  return { group, part: most - (most % Math.min(taps.length, most)) };
}

/** The stream of `xnor-conv` over planes of `planeBytes`: part by part, within it output by output, k by blocks and then taps. */
export function packXnor(layer: Signs, { group, part }: XnorPlan, planeBytes: number): Int32Array {
  const { outputs, channels, taps } = layer;
  const count = Math.ceil(channels / group) * taps.length;
  const stream = new Int32Array(outputs * count);
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < count; k++) {
      const [block, tap] = [Math.floor(k / taps.length), k % taps.length];
      const last = Math.min(channels, (block + 1) * group) - 1;
      let pattern = 0;
      for (let c = block * group; c <= last; c++) pattern |= signAt(layer, o, c, tap) << (last - c);
      const begin = k - (k % part);
      const at = begin * outputs + o * Math.min(part, count - begin) + (k - begin);
      stream[at] = (block * 2 ** group + pattern) * planeBytes + taps[tap]!;
    }
  return stream;
}

/** The stream of the sparse kernels over the planes of `sums`, of `planeBytes`, for the channels from `first` to `end`. */
export function packSums(
  layer: Signs,
  scales: ArrayLike<number>,
  planeBytes: number,
  first: number,
  end: number,
): Int32Array {
  const { outputs, taps } = layer;
  const count = Math.ceil((end - first) / 4) * taps.length;
  const stream = new Int32Array(outputs * (2 + 2 * count));
  const weights = new Float32Array(stream.buffer);
  let at = 0;
  for (let o = 0; o < outputs; o++) {
    stream[at++] = count;
    stream[at++] = o;
    for (let c = first; c < end; c += 4)
      for (let tap = 0; tap < taps.length; tap++) {
        const sign = signAt(layer, o, c, tap);
        let plane = (c - first) * 2;
        for (let j = 1; j < 4 && c + j < end; j++) plane += (signAt(layer, o, c + j, tap) ^ sign) << (j - 1);
        stream[at++] = plane * planeBytes + taps[tap]!;
        weights[at++] = sign ? -scales[o]! : scales[o]!;
      }
  }
  return stream;
}

/** A plane of `planeBytes`: 255 where an image's pixel comes to lie, 0 at its pads; `spread` as of `layPlanes`, without strides. */
export function maskOf([h, w, top, left, , cols]: NonNullable<Planes["spread"]>, planeBytes: number): Uint8Array {
  return Uint8Array.from({ length: planeBytes }, (_, i) => {
    const [y, x] = [Math.floor(i / cols) - top, (i % cols) - left];
    return y >= 0 && y < h && x >= 0 && x < w ? 255 : 0;
  });
}

function signAt({ signs, channels, taps }: Signs, o: number, c: number, tap: number): number {
  return signs[(o * channels + c) * taps.length + tap]!;
}
