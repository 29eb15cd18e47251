/**
 * One row of a dense layer: `dst[o] = clamp(bias[o] + sum_k src[k] * weight[o][k] + residual[o])`, outputs in the lanes.
 * Weights are packed [O/8][K][8], as for `conv`. Four steps of k at once hide the latency of the sums.
 */
import { clamp, madd, put } from "./_lanes";

/** See the head. `residual` may be `dst`; 0 is none. */
export function gemm(
  src: usize, count: i32, weights: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi), zero = f32x4.splat(0);
  const end: usize = src + count * 4;
  const end4: usize = src + (count & ~3) * 4;
  for (let o = 0; o < outputs; o += 8) {
    let a0 = v128.load(bias), a1 = v128.load(bias, 16);
    let a2 = zero, a3 = zero, a4 = zero, a5 = zero, a6 = zero, a7 = zero;
    let s = src;
    for (; s < end4; s += 16) {
      let t = v128.load32_splat(s);
      a0 = madd(v128.load(weights), t, a0);
      a1 = madd(v128.load(weights, 16), t, a1);
      t = v128.load32_splat(s, 4);
      a2 = madd(v128.load(weights, 32), t, a2);
      a3 = madd(v128.load(weights, 48), t, a3);
      t = v128.load32_splat(s, 8);
      a4 = madd(v128.load(weights, 64), t, a4);
      a5 = madd(v128.load(weights, 80), t, a5);
      t = v128.load32_splat(s, 12);
      a6 = madd(v128.load(weights, 96), t, a6);
      a7 = madd(v128.load(weights, 112), t, a7);
      weights += 128;
    }
    for (; s < end; s += 4) {
      const t = v128.load32_splat(s);
      a0 = madd(v128.load(weights), t, a0);
      a1 = madd(v128.load(weights, 16), t, a1);
      weights += 32;
    }
    a0 = f32x4.add(f32x4.add(a0, a2), f32x4.add(a4, a6));
    a1 = f32x4.add(f32x4.add(a1, a3), f32x4.add(a5, a7));
    if (residual) {
      a0 = f32x4.add(a0, v128.load(residual));
      a1 = f32x4.add(a1, v128.load(residual, 16));
      residual += 32;
    }
    const left = outputs - o;
    put(dst, clamp(a0, low, high), left);
    if (left > 4) put(dst + 16, clamp(a1, low, high), left - 4);
    bias += 32;
    dst += 32;
  }
}
