/**
 * Element types and how each is held in memory.
 * float16 and bfloat16 are held as their raw 16 bits, bool as 0/1 bytes, int64 as bigint.
 */

/** Element types, named as ONNX names them. */
export type DType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool";

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

/** The typed array that holds elements of dtype `D`. */
export type ArrayOf<D extends DType> = InstanceType<(typeof arrays)[D]>;

/** Any typed array a tensor may hold. */
export type TypedArray = ArrayOf<DType>;

/** All element types. */
export const dtypes = Object.keys(arrays) as readonly DType[];

/** A zeroed array for `length` elements of `dtype`. */
export function allocate<D extends DType>(dtype: D, length: number): ArrayOf<D> {
  return new arrays[dtype](length) as ArrayOf<D>;
}

/** Views `bytes` as elements of `dtype`; copies where the offset is not aligned. */
export function viewBytes<D extends DType>(dtype: D, bytes: Uint8Array): ArrayOf<D> {
  const array = arrays[dtype];
  const width = array.BYTES_PER_ELEMENT;
  // Buffer's own slice would not copy.
  const aligned = bytes.byteOffset % width === 0 ? bytes : Uint8Array.prototype.slice.call(bytes);
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width) as ArrayOf<D>;
}

/** Bytes of one element. */
export function elementBytes(dtype: DType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

/** Bits of one element. */
export function elementBits(dtype: DType): number {
  return elementBytes(dtype) * 8;
}

/** Whether `dtype` is a floating point type. */
export function isFloat(dtype: DType): dtype is "float32" | "float64" | "float16" | "bfloat16" {
  return dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16";
}

/** Whether elements of `dtype` are held as bigint. */
export function isBigInt(dtype: DType): dtype is "int64" | "uint64" {
  return dtype === "int64" || dtype === "uint64";
}
