/** ONNX's numbers for element types, as Cast and its kin name them in attributes. */
import { type DType, dtypes } from "../tensor/dtype.ts";
import { NetpareError } from "../tensor/error.ts";

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
export function elementType(dtype: DType): number {
  return numbers[dtype];
}

/**
 * The element type of a number of ONNX's.
 * @throws NetpareError `unsupported` for strings and for types below 8 bits.
 */
export function dtypeOf(number: number): DType {
  const dtype = dtypes.find((candidate) => numbers[candidate] === number);
  if (dtype === undefined)
    throw new NetpareError("unsupported", `element type ${number} of ONNX is none that netpare computes with`);
  return dtype;
}
