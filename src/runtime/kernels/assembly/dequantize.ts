/** Floats from 8-bit numbers: `dst[i] = ((src[i] ^ flip) - zero) * scale` (`_bytes`). Up to 12 bytes behind the last are written. */
import { widen4 } from "./_bytes";

/** See the head. */
export function dequantize(src: usize, dst: usize, count: i32, scale: f32, flip: i32, zero: i32): void {
  const s = f32x4.splat(scale), f = i8x16.splat(<i8>flip), z = i32x4.splat(zero);
  for (; count > 0; count -= 4, src += 4, dst += 16)
    v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(widen4(src, f), z)), s));
}
