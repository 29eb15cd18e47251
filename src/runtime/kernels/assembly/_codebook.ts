/**
 * Sixteen floats at once of a table of sixteen: the table lies in four registers, `plane` j holding byte j of each float; four swizzles
 * look the bytes up, and interleaving them makes floats again.
 */

/** The bytes of four floats, all lowest ones first. */
@inline
export function turn(floats: v128): v128 {
  return i8x16.shuffle(floats, floats, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/** Sixteen indices of 4 bits in 8 bytes, as bytes. */
@inline
export function nibbles(at: usize): v128 {
  const bytes = v128.load64_zero(at), mask = i8x16.splat(15);
  const low = v128.and(bytes, mask), high = v128.and(i16x8.shr_u(bytes, 4), mask);
  return i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

@inline
export function look(plane: v128, indices: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(plane, indices);
  return i8x16.swizzle(plane, indices);
}

/** Bytes of `a` and `b` in turn, of their first halves and of their second. */
@inline
export function zipLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
@inline
export function zipHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** The same with pairs of bytes. */
@inline
export function zipPairsLow(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
@inline
export function zipPairsHigh(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Four floats of `table` at the lowest four of the indices of `bits` bits in `word`. */
@inline
export function four(word: u64, bits: u64, mask: u64, table: usize): v128 {
  let v = v128.load32_zero(table + (<usize>(word & mask) << 2));
  v = v128.load32_lane(table + (<usize>((word >> bits) & mask) << 2), v, 1);
  v = v128.load32_lane(table + (<usize>((word >> (bits * 2)) & mask) << 2), v, 2);
  return v128.load32_lane(table + (<usize>((word >> (bits * 3)) & mask) << 2), v, 3);
}
