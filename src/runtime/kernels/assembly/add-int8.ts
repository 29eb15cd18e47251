/**
 * The sum of 8-bit numbers: `dst[i] = round(clamp((a[i] - zeroA) * scaleA + (b[i] - zeroB) * scaleB, lo, hi)) + zero`, a[i] and b[i] as `_bytes`
 * reads them, the scales in steps of `dst`. Up to 3 bytes behind the last are written; `dst` may be `a` or `b`.
 */
import { bytesOf, round4, widen4 } from "./_bytes";
import { clamp } from "./_lanes";

@inline
function part(at: usize, flip: v128, zero: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(widen4(at, flip), zero)), scale);
}

/** See the head. */
export function addInt8(
  a: usize, b: usize, dst: usize, count: i32, scaleA: f32, flipA: i32, zeroA: i32,
  scaleB: f32, flipB: i32, zeroB: i32, zero: i32, lo: f32, hi: f32,
): void {
  const s = f32x4.splat(scaleA), f = i8x16.splat(<i8>flipA), y = i32x4.splat(zeroA);
  const t = f32x4.splat(scaleB), g = i8x16.splat(<i8>flipB), x = i32x4.splat(zeroB);
  const z = i32x4.splat(zero), low = f32x4.splat(lo), high = f32x4.splat(hi);
  for (; count > 0; count -= 4, a += 4, b += 4, dst += 4) {
    const v = clamp(f32x4.add(part(a, f, y, s), part(b, g, x, t)), low, high);
    v128.store32_lane(dst, bytesOf(round4(v, z)), 0);
  }
}
