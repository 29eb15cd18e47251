/**
 * Sums of the signs of `group` channels, 4 to 6, under all patterns p of weights -1 and 1, a plane of bytes each:
 * `dst[block][p][i] = sum_j (bit j of p set ? -1 : 1) * sign(src[last - j][i])`, where `last` is the block's last channel (the last block may be
 * smaller). `sign 0` is 0, and so is what pads add.
 * With these planes `xnor-conv` adds once for `group` channels.
 */

/** The signs of 16 floats: as integers they saturate to bytes of their sign, once adding 0 has made -0 a 0. */
function signs(at: usize): v128 {
  const zero = f32x4.splat(0);
  const bytes = i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(f32x4.add(v128.load(at), zero), f32x4.add(v128.load(at, 16), zero)),
    i16x8.narrow_i32x4_s(f32x4.add(v128.load(at, 32), zero), f32x4.add(v128.load(at, 48), zero)),
  );
  return i8x16.max_s(i8x16.min_s(bytes, i8x16.splat(1)), i8x16.splat(-1));
}

/** The planes of two channels' patterns, of sum a and difference b, on top of `last`; gives where the next begins. */
function four(at: usize, plane: usize, a: v128, b: v128, last: v128): usize {
  v128.store(at, i8x16.add(last, a));
  v128.store((at += plane), i8x16.add(last, b));
  v128.store((at += plane), i8x16.sub(last, b));
  v128.store((at += plane), i8x16.sub(last, a));
  return at + plane;
}

/** The planes of four channels' patterns, of sums a, c and differences b, d, on top of `last`. */
function sixteen(at: usize, plane: usize, a: v128, b: v128, c: v128, d: v128, last: v128): usize {
  at = four(at, plane, a, b, i8x16.add(last, c));
  at = four(at, plane, a, b, i8x16.add(last, d));
  at = four(at, plane, a, b, i8x16.sub(last, d));
  return four(at, plane, a, b, i8x16.sub(last, c));
}

/** The signs of an image's rows as bytes, `cols` apart; what a row writes behind its end is no pixel, or written again. */
function signRows(src: usize, dst: usize, h: i32, w: i32, cols: i32): void {
  for (; h > 0; h--) {
    for (let x = 0; x < w; x += 16) v128.store(dst + x, signs(src + x * 4));
    src += w * 4;
    dst += cols;
  }
}

/**
 * See the head. A channel of `src` has `channelBytes`, a plane of `dst` `planeBytes`, a multiple of 16 and at least `count`. Where `mask` is not
 * 0, `src` holds images of h x w, whose first pixel comes to lie at `first` of a plane and whose rows are `cols` apart; `mask`, a plane,
 * is 255 at pixels and 0 at pads; `room` is for `group` planes.
 */
export function signSums(
  src: usize, dst: usize, channels: i32, group: i32, count: usize, channelBytes: usize, planeBytes: usize,
  mask: usize, room: usize, h: i32, w: i32, first: usize, cols: i32,
): void {
  const zero = i8x16.splat(0);
  for (; channels > 0; channels -= group) {
    const known = min(channels, group);
    if (mask)
      for (let c = 0; c < known; c++)
        signRows(src + c * channelBytes, room + c * planeBytes + first, h, w, cols);
    for (let i: usize = 0; i < count; i += 16) {
      let v0 = zero, v1 = zero, v2 = zero, v3 = zero, v4 = zero, v5 = zero;
      let s: usize = src + i * 4;
      let r: usize = room + i;
      for (let c = 0; c < known; c++) {
        (v5 = v4), (v4 = v3), (v3 = v2), (v2 = v1), (v1 = v0);
        v0 = mask ? v128.and(v128.load(r), v128.load(mask + i)) : signs(s);
        s += channelBytes;
        r += planeBytes;
      }
      const a = i8x16.add(v0, v1), b = i8x16.sub(v1, v0), c = i8x16.add(v2, v3), d = i8x16.sub(v3, v2);
      const e = i8x16.add(v4, v5), f = i8x16.sub(v5, v4);
      let at = sixteen(dst + i, planeBytes, a, b, c, d, e);
      if (group > 4) at = sixteen(at, planeBytes, a, b, c, d, f);
      if (group > 5) {
        at = sixteen(at, planeBytes, a, b, c, d, i8x16.neg(f));
        sixteen(at, planeBytes, a, b, c, d, i8x16.neg(e));
      }
    }
    src += channelBytes * group;
    dst += planeBytes << group;
  }
}
