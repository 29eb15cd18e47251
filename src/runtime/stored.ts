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
