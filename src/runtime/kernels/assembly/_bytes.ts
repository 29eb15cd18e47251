/**
 * Between bytes and floats, for the kernels of 8-bit numbers. A byte b stands for `((b ^ flip) - zero) scale`, b ^ flip unsigned: `flip` is 0
 * for uint8, and 128 for int8 with a `zero` that is 128 higher.
 */
import { clamp } from "./_lanes";

/** Four bytes at `at` as int32. */
@inline
export function widen4(at: usize, flip: v128): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.xor(v128.load32_zero(at), flip)));
}

/**
 * Rounds to integers, halves to even, and adds `zero`: only the low byte of each lane is right. A sum with 1.5 * 2^23 has no bits behind
 * the point, and those before it are its lowest.
 */
@inline
export function round4(v: v128, zero: v128): v128 {
  return i32x4.add(f32x4.add(v, f32x4.splat(12582912)), zero);
}

/** The low bytes of four lanes as the first four bytes. */
@inline
export function bytesOf(v: v128): v128 {
  return i8x16.shuffle(v, v, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
}
