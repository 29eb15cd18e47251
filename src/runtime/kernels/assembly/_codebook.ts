/**
 * Eight weights, of as many outputs, by their packed indices: `lower` of outputs 0..3, `upper` of 4..7. Indices of 4 bits are looked up
 * two at a time in a table of all 256 pairs, which `pairs` writes; indices of 8 bits one by one.
 */

@inline
export function lowerOf4(word: u32, pairs: usize): v128 {
  const v = v128.load64_zero(pairs + <usize>((word & 255) << 3));
  return v128.load64_lane(pairs + <usize>(((word >> 8) & 255) << 3), v, 1);
}
@inline
export function upperOf4(word: u32, pairs: usize): v128 {
  const v = v128.load64_zero(pairs + <usize>(((word >> 16) & 255) << 3));
  return v128.load64_lane(pairs + <usize>((word >> 24) << 3), v, 1);
}

/** Four weights by the bytes at `at`. */
@inline
export function fourOf8(at: usize, table: usize): v128 {
  let v = v128.load32_zero(table + (<usize>load<u8>(at) << 2));
  v = v128.load32_lane(table + (<usize>load<u8>(at, 1) << 2), v, 1);
  v = v128.load32_lane(table + (<usize>load<u8>(at, 2) << 2), v, 2);
  return v128.load32_lane(table + (<usize>load<u8>(at, 3) << 2), v, 3);
}
