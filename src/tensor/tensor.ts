/** A typed array with a shape: the only numeric container netpare passes around. */
import { type ArrayOf, allocate, type DType, isBigInt, isFloat, type TypedArray } from "./dtype.ts";
import { NetpareError } from "./error.ts";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./half.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** Elements of `dtype` in row-major order. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: ArrayOf<D>;
}

/** A tensor over `data`, which is not copied; zeros where `data` is left out. */
export function tensor<D extends DType>(dtype: D, shape: Shape, data?: ArrayOf<D>): Tensor<D> {
  const size = sizeOf(shape);
  if (data !== undefined && data.length !== size)
    throw new NetpareError("bad-shape", `a tensor of shape [${shape}] wants ${size} elements and got ${data.length}`);
  return { dtype, shape, data: data ?? allocate(dtype, size) };
}

/** A tensor of `dtype` from plain numbers, rounded as the dtype demands. */
export function tensorOf<D extends DType>(dtype: D, shape: Shape, values: ArrayLike<number>): Tensor<D> {
  const out = tensor(dtype, shape);
  if (values.length !== out.data.length)
    throw new NetpareError(
      "bad-shape",
      `a tensor of shape [${shape}] wants ${out.data.length} elements and got ${values.length}`,
    );
  writeNumbers(out, values);
  return out;
}

/** A float32 scalar. */
export function scalar(value: number): Tensor<"float32"> {
  return tensorOf("float32", [], [value]);
}

/** A 1-D int64 tensor, the form in which ONNX passes shapes and axes. */
export function int64s(values: ArrayLike<number>): Tensor<"int64"> {
  return tensorOf("int64", [values.length], values);
}

/** The elements as doubles (a copy, or the data itself where it is a Float64Array). */
export function toNumbers(t: Tensor): Float64Array {
  if (t.dtype === "float64") return t.data as Float64Array;
  const out = new Float64Array(t.data.length);
  if (isBigInt(t.dtype)) {
    const data = t.data as BigInt64Array | BigUint64Array;
    for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  } else if (t.dtype === "float16" || t.dtype === "bfloat16") {
    const data = t.data as Uint16Array;
    const decode = t.dtype === "float16" ? fromFloat16 : fromBfloat16;
    for (let i = 0; i < out.length; i++) out[i] = decode(data[i]!);
  } else out.set(t.data as Float32Array);
  return out;
}

/** The elements of a small integer tensor as plain numbers. */
export function toIntegers(t: Tensor): number[] {
  return Array.from(toNumbers(t), Math.trunc);
}

/** The same values in another dtype, rounded to nearest even for floats, truncated for integers; the tensor itself where equal. */
export function castTensor<D extends DType>(t: Tensor, dtype: D): Tensor<D> {
  if ((t.dtype as DType) === dtype) return t as unknown as Tensor<D>;
  const out = tensor(dtype, t.shape);
  writeNumbers(out, toNumbers(t));
  return out;
}

/** The integer of a double, the nearest one beyond the dtype's range: 2^63 - 1, which no double holds, survives doubles. */
function toBigInt(value: number, dtype: "int64" | "uint64"): bigint {
  if (Number.isNaN(value)) return 0n;
  const [low, high] = dtype === "int64" ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  if (value <= Number(low)) return low;
  return value >= Number(high) ? high : BigInt(Math.trunc(value));
}

function writeNumbers(out: Tensor, values: ArrayLike<number>): void {
  const { dtype } = out;
  if (dtype === "bool") {
    const data = out.data as Uint8Array;
    for (let i = 0; i < data.length; i++) data[i] = values[i] ? 1 : 0;
  } else if (isBigInt(dtype)) {
    const data = out.data as BigInt64Array;
    for (let i = 0; i < data.length; i++) data[i] = toBigInt(values[i]!, dtype);
  } else if (dtype === "float16" || dtype === "bfloat16") {
    const data = out.data as Uint16Array;
    const encode = dtype === "float16" ? toFloat16 : toBfloat16;
    for (let i = 0; i < data.length; i++) data[i] = encode(values[i]!);
  } else if (isFloat(dtype)) {
    (out.data as Float32Array).set(values);
  } else {
    const data = out.data as Int32Array;
    for (let i = 0; i < data.length; i++) data[i] = Math.trunc(values[i]!);
  }
}

/** The bytes behind a tensor, little-endian, not copied. */
export function bytesOf(t: Tensor): Uint8Array {
  const data: TypedArray = t.data;
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
