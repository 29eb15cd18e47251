/** Single tensors in files, serialized as TensorProto: the form in which ONNX ships the data of its operator tests. */
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { externalData } from "./_external.ts";
import { decodeTensor, encodeTensor } from "./_tensor.ts";
import { elementTypeName } from "./_types.ts";
import { located } from "./decode.ts";
import { readBytes } from "./file.ts";

/** A tensor and the name it was stored under. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * Reads a serialized TensorProto.
 * @throws NetpareError `bad-model` where it is malformed, `unsupported` where netpare does not compute with its type.
 */
export function decodeTensorFile(bytes: Uint8Array, file?: string): NamedTensor {
  return located(file, () => {
    const { name, tensor, elementType } = decodeTensor(bytes, "tensor", externalData(undefined));
    if (tensor === undefined)
      throw new NetpareError("unsupported", `tensor '${name}' has type ${elementTypeName(elementType)}`);
    return { name, tensor };
  });
}

/**
 * Reads a tensor file.
 * @throws NetpareError as `decodeTensorFile`, and `io`.
 */
export async function readTensorFile(file: string): Promise<NamedTensor> {
  return decodeTensorFile(await readBytes(file), file);
}

/** A serialized TensorProto. */
export function encodeTensorFile({ name, tensor }: NamedTensor): Uint8Array {
  return encodeTensor(name, tensor);
}
