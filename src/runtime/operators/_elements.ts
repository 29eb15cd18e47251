/** The memory in elements of 4 bytes or 1. */
export function elementsOf(memory: Float32Array, bytes: number): Float32Array | Uint8Array {
  return bytes === 4 ? memory : new Uint8Array(memory.buffer);
}
