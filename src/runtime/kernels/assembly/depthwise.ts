/**
 * Depthwise convolution over planes: `dst[o][y][x] = clamp(bias[o] + sum_t weight[o][t] * plane[o / multiplier][taps[t] + y * rowBytes + 4 x] + residual)`.
 * Weights lie as in the model, (O, kh kw). Pixels in the lanes, 16 of a row at once while they last, then 4.
 */
import { clamp, madd, put } from "./_lanes";

/** The sum over all taps at one vector of pixels. */
@inline
function window(src: usize, taps: usize, end: usize, weights: usize, sum: v128): v128 {
  for (; taps < end; taps += 4, weights += 4)
    sum = madd(v128.load(src + load<i32>(taps)), v128.load32_splat(weights), sum);
  return sum;
}

/** See the head. `residual` has the layout of `dst` and may be `dst`; 0 is none. */
export function depthwise(
  src: usize, taps: usize, count: i32, weights: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, multiplier: i32, channelBytes: i32, oh: i32, ow: i32, rowBytes: i32, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  const end: usize = taps + count * 4;
  const apart = residual - dst;
  for (let o = 0; o < outputs; o++) {
    const b = v128.load32_splat(bias);
    let row: usize = src + (o / multiplier) * channelBytes;
    for (let y = 0; y < oh; y++) {
      let s = row;
      let left = ow;
      for (; left >= 16; left -= 16) {
        let a0 = b, a1 = b, a2 = b, a3 = b;
        let w = weights;
        for (let t = taps; t < end; t += 4, w += 4) {
          const p: usize = s + load<i32>(t);
          const v = v128.load32_splat(w);
          a0 = madd(v128.load(p), v, a0);
          a1 = madd(v128.load(p, 16), v, a1);
          a2 = madd(v128.load(p, 32), v, a2);
          a3 = madd(v128.load(p, 48), v, a3);
        }
        if (residual) {
          const r = dst + apart;
          a0 = f32x4.add(a0, v128.load(r));
          a1 = f32x4.add(a1, v128.load(r, 16));
          a2 = f32x4.add(a2, v128.load(r, 32));
          a3 = f32x4.add(a3, v128.load(r, 48));
        }
        v128.store(dst, clamp(a0, low, high));
        v128.store(dst, clamp(a1, low, high), 16);
        v128.store(dst, clamp(a2, low, high), 32);
        v128.store(dst, clamp(a3, low, high), 48);
        s += 64;
        dst += 64;
      }
      for (; left > 0; left -= 4) {
        let a = window(s, taps, end, weights, b);
        if (residual) a = f32x4.add(a, v128.load(dst + apart));
        put(dst, clamp(a, low, high), left);
        s += 16;
        dst += left < 4 ? left * 4 : 16;
      }
      row += rowBytes;
    }
    weights += count * 4;
    bias += 4;
  }
}
