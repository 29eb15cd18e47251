/** Large maps in parts that stay in the cache of a core, and take little memory in between. */

/** About the bytes of a part. */
export const partBytes = 2 ** 18;
/** Parts are of whole blocks of outputs, as kernels take them. */
const block = 8;
const mostParts = 16;

/** Calls `put` for parts of some channels, each of `bytes`. */
export function inParts(channels: number, bytes: number, put: (first: number, count: number) => void): void {
  const several = block * Math.ceil(Math.max(partBytes / bytes, channels / mostParts) / block);
  for (let first = 0; first < channels; first += several) put(first, Math.min(several, channels - first));
}
