/**
 * Adaptive models of single bits, one 32-bit word each: p·2²² in the upper bits, the number n of bits seen (at most `limit`) below.
 * After a bit, p moves toward it by 1/(n + 1.5): nearly the estimator of Krichevsky and Trofimov (1981) while n grows, an exponential
 * window of `limit` bits afterwards (the packed word is that of Mahoney's lpaq, 2007). So a model learns fast in a small tensor and
 * settles in a large one. Two estimators of fixed rates averaged, as in VVC, came out 0.5 to 2.7 % longer on trained layers, and two of
 * these averaged 0.1 % shorter, which is not worth their time.
 */

/** The windows that a stream may choose from, in bits; its header holds the index. */
export const windows = [15, 30, 60, 120, 250, 500, 760, 1020] as const;

/** Range coders split a range in 2¹⁵ parts. */
export const probabilityBits = 15;

const steps = Int32Array.from({ length: 1024 }, (_, seen) => 8192 / (seen + 1.5));

/** `count` models that know nothing: p(0) = 1/2. */
export function createBitModels(count: number): Int32Array {
  return new Int32Array(count).fill(1 << 31);
}

/** The probability of a 0 under `state`, in 2⁻¹⁵, in 1..2¹⁵-1. */
export function zeroShare(state: number): number {
  return (state >>> 17) | 1;
}

/** `state` after `bit`; `limit` is at least 7, so that p stays in [0, 1). */
export function adapt(state: number, bit: number, limit: number): number {
  const seen = state & 1023;
  const target = (bit - 1) & 0x3fffff;
  const moved = state + (Math.imul((target - (state >>> 10)) >> 3, steps[seen]!) & ~1023);
  return seen < limit ? (moved + 1) | 0 : moved | 0;
}
