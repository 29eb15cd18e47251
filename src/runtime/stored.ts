/** Weights as a file holds them, binary32 or binary16: they are looked at, cut and packed without being decoded. */
import { viewBytes } from "../tensor/dtype.ts";
import { fromFloat16Bytes } from "../tensor/half.ts";

export interface Stored {
  readonly bytes: Uint8Array;
  readonly elementBytes: 2 | 4;
}

/** Rows of weights that a kernel writes to their place: (outputs, count) in blocks of 8 outputs, `[outputs/8][count][8]`. */
export interface Packed extends Stored {
  readonly outputs: number;
  readonly count: number;
}

export const storedOf = ({ buffer, byteOffset, byteLength }: Float32Array): Stored => ({
  bytes: new Uint8Array(buffer, byteOffset, byteLength),
  elementBytes: 4,
});

/** Elements from `start` on. */
export const partOf = ({ bytes, elementBytes }: Stored, start: number, count: number): Stored => ({
  bytes: bytes.subarray(start * elementBytes, (start + count) * elementBytes),
  elementBytes,
});

export const floatsOf = ({ bytes, elementBytes }: Stored): Float32Array =>
  elementBytes === 2 ? fromFloat16Bytes(bytes) : viewBytes("float32", bytes);

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
