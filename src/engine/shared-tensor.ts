/** Tensors in memory that threads share instead of copying. */
import { type Tensor, tensor } from "../tensor/tensor.ts";

/** A float32 tensor with its values in shared memory, of which zeros take none until they are written to. */
export function shareTensor({ shape, data }: Tensor): Tensor<"float32"> {
  const memory: unknown = new SharedArrayBuffer(data.byteLength);
  // Tensors are typed as holding memory of their own; shared memory reads and writes alike.
  const shared = tensor("float32", shape, new Float32Array(memory as ArrayBuffer));
  const values = data as Float32Array;
  if (values.some((x) => x !== 0)) shared.data.set(values);
  return shared;
}
