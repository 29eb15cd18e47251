/**
 * The hashing trick: which of few stored values stands at a place of a tensor, and with which sign, comes from a hash of the place
 * (Chen, Wilson, Tyree, Weinberger, Chen 2015, arXiv:1504.04788). All numbers modulo 2^32, p = 668265263, q = 374761393 (xxHash's):
 *   h = mix(p·mix(q·mix(p·i + seed))),  mix(x) = y + ⌊y / 2^16⌋ with y = x·(2⌊x / 2^16⌋ + 1).
 * xxHash mixes by exclusive ors; products of a number's halves do as well, and ONNX's operators on integers of 64 bits have them.
 * With K values element i has value `h mod K`, and the sign minus where `h mod 2K >= K`. Elements may be of several groups in turn,
 * as frequencies of kernels are; element i is of group `i mod G`, and a group's values lie behind those of the group before.
 */

/** The hash of a place, an integer below 2^32. */
export function hashOf(place: number, seed: number): number {
  return mix(Math.imul(mix(Math.imul(mix(Math.imul(place, p) + seed), q)), p));
}

const [p, q] = [668265263, 374761393];

function mix(x: number): number {
  const y = Math.imul(x, 2 * (x >>> 16) + 1) >>> 0;
  return (y + (y >>> 16)) >>> 0;
}

/** For each of `size` elements the index of its value where its sign is plus, and the complement `-1 - index` where it is minus. */
export function hashIndices(size: number, counts: readonly number[], seed: number): Int32Array {
  const starts = [0];
  for (const count of counts) starts.push(starts.at(-1)! + count);
  return Int32Array.from({ length: size }, (_, i) => {
    const group = i % counts.length;
    const count = counts[group]!;
    const at = hashOf(i, seed) % (2 * count);
    return at < count ? starts[group]! + at : -1 - (starts[group]! + at - count);
  });
}

/** The elements, in doubles, that `values` stand for. */
export function spreadHashed(values: ArrayLike<number>, indices: Int32Array): Float64Array {
  return Float64Array.from(indices, (at) => (at < 0 ? -values[-1 - at]! : values[at]!));
}
