/** Large maps in parts that stay in the cache of a core, and take little memory in between. */

/** About the bytes of a part. */
const partBytes = 2 ** 18;
/** Parts are of whole blocks of outputs, as kernels take them. */
const block = 8;
const mostParts = 16;

/** How many channels, each of `bytes`, make a part; undefined where all make one. */
export function channelsAtOnce(channels: number, bytes: number): number | undefined {
  const several = block * Math.ceil(Math.max(partBytes / bytes, channels / mostParts) / block);
  return several < channels ? several : undefined;
}
