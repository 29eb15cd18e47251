/** ONNX's numbers of element types, as files and the attributes of Cast and its kin have them. */
import { type DType, dtypes } from "./dtype.ts";
import { NetpareError } from "./error.ts";

const numbers: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

/** ONNX's number of an element type. */
export function elementTypeOf(dtype: DType): number {
  return numbers[dtype];
}

/** The element type of a number of ONNX's, undefined where netpare does not compute with it. */
export function dtypeOfNumber(number: number): DType | undefined {
  return dtypes.find((dtype) => numbers[dtype] === number);
}

/**
 * The element type of a number of ONNX's.
 * @throws NetpareError `unsupported` for those netpare does not compute with: strings, complex numbers, 8-bit floats, 4 bits.
 */
export function dtypeOf(number: number): DType {
  const dtype = dtypeOfNumber(number);
  if (dtype === undefined)
    throw new NetpareError("unsupported", `element type ${number} of ONNX is none that netpare computes with`);
  return dtype;
}
