/** Constants that a hash makes of few values (src/tensor/hash.ts, src/tensor/inverse-dct.ts) become constants of their elements. */
import type { Content, Program } from "../format/read.ts";
import { hashIndices, spreadHashed } from "../tensor/hash.ts";
import { inverseDct } from "../tensor/inverse-dct.ts";
import { sizeOf } from "../tensor/shape.ts";

/** The program whose hashed constants are decoded as others are; undefined where it has none. */
export function makeHashed(program: Program): Program | undefined {
  const tensors = new Map(program.tensors);
  let found = false;
  for (const [value, tensor] of tensors) {
    const { content, shape } = tensor;
    if (content.form !== "hashed") continue;
    found = true;
    const elements = elementsOf(shape, content);
    const bytes = new Uint8Array(elements.buffer);
    tensors.set(value, { ...tensor, content: { form: "raw", bytes }, decode: () => elements });
  }
  return found ? { ...program, tensors } : undefined;
}

function elementsOf(
  shape: readonly number[],
  { seed, counts, isFrequency, values }: Extract<Content, { form: "hashed" }>,
): Float32Array<ArrayBuffer> {
  const elements = spreadHashed(values.decode() as Float32Array, hashIndices(sizeOf(shape), counts, seed));
  const [rows, columns] = shape.slice(-2) as [number, number];
  return Float32Array.from(isFrequency ? inverseDct(elements, rows, columns) : elements);
}
