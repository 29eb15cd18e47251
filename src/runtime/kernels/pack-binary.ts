/**
 * Layers of binary weights as streams of offsets: into tables of counts, which `xnor-conv` looks signs of four channels up in, and into the planes of
 * `sums`, where a block of four channels is one plane, which the signs of its weights choose.
 */
import type { Window } from "./pack.ts";

/** The signs of a layer's weights: 1 is negative, (O, C, taps). */
export interface Signs {
  readonly signs: ArrayLike<number>;
  readonly outputs: number;
  readonly channels: number;
  /** Byte offsets of the taps in a plane. */
  readonly taps: ArrayLike<number>;
}

/** Channels whose signs are one index. */
const blockChannels = 4;
/** Steps, of a block at a tap each, that `xnor-conv` counts in a byte. */
const partSteps = 63;
/** Bytes of `xnor-conv`'s room for a step's indices, and for an output's counts. */
const [stepBytes, outputBytes] = [64, 128];
const tableBytes = 16;

/** What `xnor-conv` reads of a layer. */
export interface XnorPlan {
  /** Byte offsets of the steps' indices, block by block and then taps. */
  readonly offsets: Int32Array;
  /** Byte offsets of the tables: part by part, within it by pairs of outputs, then steps. */
  readonly stream: Uint16Array;
  readonly roomBytes: number;
}

/** The plan of a layer over planes of `planeBytes`. */
export function packXnor(layer: Signs, planeBytes: number): XnorPlan {
  const { outputs, channels, taps } = layer;
  const steps = Math.ceil(channels / blockChannels) * taps.length;
  const pairs = Math.ceil(outputs / 2);
  const stream = new Uint16Array(pairs * steps);
  let at = 0;
  for (let begin = 0; begin < steps; begin += partSteps)
    for (let pair = 0; pair < pairs; pair++)
      for (let k = begin; k < Math.min(begin + partSteps, steps); k++) {
        const [first, tap] = [Math.floor(k / taps.length) * blockChannels, k % taps.length];
        let pattern = 0;
        for (let i = 0; i < 2 * blockChannels; i++) {
          const [o, c] = [2 * pair + Math.floor(i / blockChannels), first + (i % blockChannels)];
          if (o < outputs && c < channels) pattern |= signAt(layer, o, c, tap) << i;
        }
        stream[at++] = pattern * tableBytes;
      }
  const offsets = Int32Array.from(
    { length: steps },
    (_, k) => Math.floor(k / taps.length) * planeBytes + taps[k % taps.length]!,
  );
  return { offsets, stream, roomBytes: (partSteps + 1) * stepBytes + 2 * pairs * outputBytes };
}

/** The tables of `xnor-conv`: at [4 signs of the second output, 4 of the first][4 signs of pixels] how many differ, in 4 bits each. */
export function xnorTables(): Uint8Array {
  const ones = (bits: number) => (bits & 1) + ((bits >> 1) & 1) + ((bits >> 2) & 1) + (bits >> 3);
  return Uint8Array.from(
    { length: 256 * tableBytes },
    (_, i) => ones((i ^ (i >> 4)) & 15) + 16 * ones((i ^ (i >> 8)) & 15),
  );
}

/** How many signs the window at each pixel of flat rows of `cols` sums up: none of those are at pads. */
export function termsOf(window: Window, channels: number, cols: number): Int16Array {
  const inside = (count: number, size: number, axis: 0 | 1, before: number) =>
    Array.from({ length: count }, (_, at) => {
      let taps = 0;
      for (let k = 0; k < window.kernel[axis]; k++) {
        const from = at * window.strides[axis] + k * window.dilations[axis] - before;
        if (from >= 0 && from < size) taps++;
      }
      return taps;
    });
  const rows = inside(window.oh, window.h, 0, window.top);
  const columns = inside(window.ow, window.w, 1, window.left);
  const terms = new Int16Array(window.oh * cols);
  for (let y = 0; y < rows.length; y++)
    for (let x = 0; x < columns.length; x++) terms[y * cols + x] = rows[y]! * columns[x]! * channels;
  return terms;
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

function signAt({ signs, channels, taps }: Signs, o: number, c: number, tap: number): number {
  return signs[(o * channels + c) * taps.length + tap]!;
}
