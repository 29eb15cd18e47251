/**
 * Sums of four channels under the eight patterns of signs that differ in more than all of them, a plane of floats each:
 * `dst[c / 4][p][i] = src[c][i] + sum_j (bit j of p set ? -1 : 1) * src[c + 1 + j][i]`, j in 0..2; channels behind the last are 0.
 * Weights of one magnitude need one product of such a plane for four channels: with it `sparse-conv` computes layers of binary weights.
 */

/** See the head. A channel of `src` has `channelBytes`, a plane of `dst` `planeBytes`, a multiple of 16; `count` floats of each. */
export function sums(
  src: usize, dst: usize, channels: i32, count: i32, channelBytes: usize, planeBytes: usize,
): void {
  const zero = f32x4.splat(0);
  for (; channels > 0; channels -= 4) {
    for (let i: usize = 0, end: usize = count * 4; i < end; i += 16) {
      const s: usize = src + i;
      const a = v128.load(s);
      const b = channels > 1 ? v128.load(s + channelBytes) : zero;
      const c = channels > 2 ? v128.load(s + channelBytes * 2) : zero;
      const d = channels > 3 ? v128.load(s + channelBytes * 3) : zero;
      const sum = f32x4.add(a, b), difference = f32x4.sub(a, b);
      const last = f32x4.add(c, d), apart = f32x4.sub(c, d);
      let at = dst + i;
      v128.store(at, f32x4.add(sum, last));
      v128.store((at += planeBytes), f32x4.add(difference, last));
      v128.store((at += planeBytes), f32x4.sub(sum, apart));
      v128.store((at += planeBytes), f32x4.sub(difference, apart));
      v128.store((at += planeBytes), f32x4.add(sum, apart));
      v128.store((at += planeBytes), f32x4.add(difference, apart));
      v128.store((at += planeBytes), f32x4.sub(sum, last));
      v128.store((at += planeBytes), f32x4.sub(difference, last));
    }
    src += channelBytes * 4;
    dst += planeBytes * 8;
  }
}
