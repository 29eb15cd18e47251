/** Layers of which few weights are left: how they are told, and what the sparse kernels read. */
import type { Stored } from "../stored.ts";
import { layPlanes, type Window } from "./pack.ts";

/** Up to this share of weights that are not zero the sparse kernels are the faster. */
const sparseDensity = 0.4;
/** About how many weights are looked at. */
const samples = 512;

/** Whether so few weights are left that the sparse kernels are faster; of many some 500 are looked at. */
export function isSparse({ bytes, elementBytes }: Stored): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // No multiple of 2 or 3, which kernels and channels are.
  const step = bytes.length < samples * elementBytes ? 1 : 6 * Math.ceil(bytes.length / elementBytes / samples / 6) + 1;
  let [seen, left] = [0, 0];
  for (let at = 0; at < bytes.length; at += step * elementBytes, seen++) {
    // All but the sign.
    const bits = elementBytes === 4 ? view.getInt32(at, true) : view.getInt16(at, true) << 16;
    if (bits << 1) left++;
  }
  return left <= sparseDensity * seen;
}

/** Bytes of a channel in the room of `sparse-conv`. */
export const gatheredBytes = 64;

/** Whether a window's input serves as it lies, but for channels that crowd the cache. */
export function isCrowded(window: Window): boolean {
  return layPlanes(window, Number.POSITIVE_INFINITY).spread === undefined && layPlanes(window).spread !== undefined;
}

/**
 * The weights (O, K) that are not zero as the stream of the sparse kernels: for each output its int32 count, its int32 index, and
 * `count` pairs of int32 byte offset and float32 weight; outputs by falling count. `offsets` (K) are `tapOffsets`, or 4 k for a
 * dense layer.
 */
export function packSparse(weights: Float32Array, outputs: number, offsets: ArrayLike<number>): Int32Array {
  const count = offsets.length;
  const bits = new Int32Array(weights.buffer, weights.byteOffset, weights.length);
  const counts = new Int32Array(outputs);
  for (let i = 0; i < weights.length; i++) if (weights[i] !== 0) counts[Math.floor(i / count)]!++;
  const stream = new Int32Array(2 * counts.reduce((sum, left) => sum + left + 1, 0));
  let at = 0;
  for (const o of [...counts.keys()].sort((a, b) => counts[b]! - counts[a]!)) {
    stream[at++] = counts[o]!;
    stream[at++] = o;
    for (let k = 0; k < count; k++) {
      if (weights[o * count + k] === 0) continue;
      stream[at++] = offsets[k]!;
      stream[at++] = bits[o * count + k]!;
    }
  }
  return stream;
}
