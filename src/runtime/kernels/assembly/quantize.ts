/**
 * 8-bit numbers from floats: `dst[i] = round(clamp(src[i] / scale, lo, hi)) + zero`, halves to even; `zero` as the type has it, lo and hi the
 * type's bounds less `zero`. Up to 3 bytes behind the last are written.
 */
import { bytesOf, round4 } from "./_bytes";
import { clamp } from "./_lanes";

/** See the head. */
export function quantize(src: usize, dst: usize, count: i32, scale: f32, zero: i32, lo: f32, hi: f32): void {
  const s = f32x4.splat(scale), z = i32x4.splat(zero), low = f32x4.splat(lo), high = f32x4.splat(hi);
  for (; count > 0; count -= 4, src += 16, dst += 4)
    v128.store32_lane(dst, bytesOf(round4(clamp(f32x4.div(v128.load(src), s), low, high), z)), 0);
}
