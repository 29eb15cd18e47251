/** Float32 tensors in memory that threads share instead of copying. */
import { type Tensor, tensor } from "../tensor/tensor.ts";

/** A tensor of zeros, which takes memory where it is written to. */
export function sharedTensor(shape: readonly number[]): Tensor<"float32"> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const memory: unknown = new SharedArrayBuffer(4 * size);
  // Tensors are typed as holding memory of their own; shared memory reads and writes alike.
  return tensor("float32", shape, new Float32Array(memory as ArrayBuffer));
}

/** The tensor with its values in shared memory. */
export function shareTensor({ shape, data }: Tensor): Tensor<"float32"> {
  const shared = sharedTensor(shape);
  const values = data as Float32Array;
  if (values.some((x) => x !== 0)) shared.data.set(values);
  return shared;
}
