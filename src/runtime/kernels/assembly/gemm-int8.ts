/**
 * One row of a dense layer on 8-bit numbers: `dst[o] = clamp((bias[o] + sum_k x[k] * weight[o][k]) * scales[o])`, x[k] = src[k] ^ flip unsigned,
 * dst floats, bias int32; what the zero of x takes from each sum is in `bias`. Weights are int8 [O/8][K/2][8][2], K filled up to even.
 */
import { clamp, put } from "./_lanes";

/** See the head. `pairs` = K / 2. */
export function gemmInt8(
  src: usize, pairs: i32, weights: usize, bias: usize, scales: usize, dst: usize,
  outputs: i32, flip: i32, lo: f32, hi: f32,
): void {
  const f = i8x16.splat(<i8>flip), low = f32x4.splat(lo), high = f32x4.splat(hi);
  const end: usize = src + pairs * 2;
  for (let left = outputs; left > 0; left -= 8) {
    let a = v128.load(bias), b = v128.load(bias, 16);
    for (let s = src; s < end; s += 2) {
      const x = i16x8.extend_low_i8x16_u(v128.xor(v128.load16_splat(s), f));
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load8x8_s(weights), x));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load8x8_s(weights, 8), x));
      weights += 16;
    }
    put(dst, clamp(f32x4.mul(f32x4.convert_i32x4_s(a), v128.load(scales)), low, high), left);
    if (left > 4)
      put(dst + 16, clamp(f32x4.mul(f32x4.convert_i32x4_s(b), v128.load(scales, 16)), low, high), left - 4);
    bias += 32;
    scales += 32;
    dst += 32;
  }
}
