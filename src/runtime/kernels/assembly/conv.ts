/**
 * Dense convolution over planes: `dst[o][y][x] = clamp(bias[o] + sum_k weight[o][k] * plane[offsets[k] + y * rowBytes + 4 x] + residual)`,
 * k over channels and taps. Weights are packed [O/8][K][8].
 * Rows of about a multiple of 8 pixels: 8 pixels x 4 outputs in 8 accumulators, pixels in the lanes, weights broadcast; the last 8 of a
 * row may repeat some.
 * Other maps: 4 pixels of the flattened map x 8 outputs, outputs in the lanes, pixels broadcast; no pixel is wasted, however small
 * the map. Twelve accumulators spill on x64, and one row of 4 pixels x 8 outputs runs at half the speed.
 */
import { clamp, close, madd, none } from "./_lanes";

@inline
function closePair(at: usize, v: v128, u: v128, residual: usize, lo: v128, hi: v128): void {
  if (residual != none) {
    v = f32x4.add(v, v128.load(at + residual));
    u = f32x4.add(u, v128.load(at + residual, 16));
  }
  v128.store(at, clamp(v, lo, hi));
  v128.store(at, clamp(u, lo, hi), 16);
}

function rows8(
  src: usize, offsets: usize, count: i32, weights: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, rowBytes: i32, lo: v128, hi: v128,
): void {
  const plane: usize = oh * ow * 4;
  const end: usize = offsets + count * 4;
  for (let o = 0; o < outputs; o += 4) {
    const left = outputs - o;
    const block: usize = weights + (o >> 3) * count * 32 + (o & 4) * 4;
    const b0 = v128.load32_splat(bias), b1 = v128.load32_splat(bias, 4);
    const b2 = v128.load32_splat(bias, 8), b3 = v128.load32_splat(bias, 12);
    let line = dst;
    for (let y = 0; y < oh; y++) {
      const row: usize = src + y * rowBytes;
      const last = row + ow * 4 - 32;
      for (let begin = row, stop = row + ow * 4; begin < stop; begin += 32) {
        const s = min(begin, last);
        const at = line + (s - row);
        let a0 = b0, a1 = b0, a2 = b1, a3 = b1, a4 = b2, a5 = b2, a6 = b3, a7 = b3;
        let w = block;
        for (let k = offsets; k < end; k += 4) {
          const p: usize = s + load<i32>(k);
          const v = v128.load(p), u = v128.load(p, 16);
          let t = v128.load32_splat(w);
          a0 = madd(v, t, a0);
          a1 = madd(u, t, a1);
          t = v128.load32_splat(w, 4);
          a2 = madd(v, t, a2);
          a3 = madd(u, t, a3);
          t = v128.load32_splat(w, 8);
          a4 = madd(v, t, a4);
          a5 = madd(u, t, a5);
          t = v128.load32_splat(w, 12);
          a6 = madd(v, t, a6);
          a7 = madd(u, t, a7);
          w += 32;
        }
        closePair(at, a0, a1, residual, lo, hi);
        if (left > 1) closePair(at + plane, a2, a3, residual, lo, hi);
        if (left > 2) closePair(at + plane * 2, a4, a5, residual, lo, hi);
        if (left > 3) closePair(at + plane * 3, a6, a7, residual, lo, hi);
      }
      line += ow * 4;
    }
    bias += 16;
    dst += plane * 4;
  }
}

/** Turns four pixels of four outputs into four outputs of four pixels, and stores those of the first `left` outputs. */
function closeSquare(
  at: usize, plane: usize, p0: v128, p1: v128, p2: v128, p3: v128,
  residual: usize, lanes: i32, left: i32, lo: v128, hi: v128,
): void {
  const a = i32x4.shuffle(p0, p1, 0, 4, 1, 5), b = i32x4.shuffle(p2, p3, 0, 4, 1, 5);
  close(at, i64x2.shuffle(a, b, 0, 2), residual, lanes, lo, hi);
  if (left > 1) close(at + plane, i64x2.shuffle(a, b, 1, 3), residual, lanes, lo, hi);
  const c = i32x4.shuffle(p0, p1, 2, 6, 3, 7), d = i32x4.shuffle(p2, p3, 2, 6, 3, 7);
  if (left > 2) close(at + plane * 2, i64x2.shuffle(c, d, 0, 2), residual, lanes, lo, hi);
  if (left > 3) close(at + plane * 3, i64x2.shuffle(c, d, 1, 3), residual, lanes, lo, hi);
}

function pixels4(
  src: usize, offsets: usize, count: i32, weights: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, rowBytes: i32, lo: v128, hi: v128,
): void {
  const pixels = oh * ow;
  const plane: usize = pixels * 4;
  const end: usize = offsets + count * 4;
  const jump: usize = rowBytes - ow * 4;
  for (let o = 0; o < outputs; o += 8) {
    const left = outputs - o;
    const b0 = v128.load(bias), b1 = v128.load(bias, 16);
    let at = dst;
    let s = src;
    let x = 0;
    for (let p = 0; p < pixels; p += 4) {
      // Behind the last pixel a pointer repeats the one before, and what it brings is not stored.
      const s0 = s;
      s += 4;
      if (++x == ow) (x = 0), (s += jump);
      const s1 = p + 1 < pixels ? s : s0;
      s += 4;
      if (++x == ow) (x = 0), (s += jump);
      const s2 = p + 2 < pixels ? s : s0;
      s += 4;
      if (++x == ow) (x = 0), (s += jump);
      const s3 = p + 3 < pixels ? s : s0;
      s += 4;
      if (++x == ow) (x = 0), (s += jump);
      let a0 = b0, a1 = b1, a2 = b0, a3 = b1, a4 = b0, a5 = b1, a6 = b0, a7 = b1;
      let w = weights;
      for (let k = offsets; k < end; k += 4) {
        const f: usize = load<i32>(k);
        const v = v128.load(w), u = v128.load(w, 16);
        let t = v128.load32_splat(s0 + f);
        a0 = madd(v, t, a0);
        a1 = madd(u, t, a1);
        t = v128.load32_splat(s1 + f);
        a2 = madd(v, t, a2);
        a3 = madd(u, t, a3);
        t = v128.load32_splat(s2 + f);
        a4 = madd(v, t, a4);
        a5 = madd(u, t, a5);
        t = v128.load32_splat(s3 + f);
        a6 = madd(v, t, a6);
        a7 = madd(u, t, a7);
        w += 32;
      }
      const lanes = pixels - p;
      closeSquare(at, plane, a0, a2, a4, a6, residual, lanes, left, lo, hi);
      if (left > 4) closeSquare(at + plane * 4, plane, a1, a3, a5, a7, residual, lanes, left - 4, lo, hi);
      at += 16;
    }
    weights += count * 32;
    bias += 32;
    dst += plane * 8;
  }
}

/** See the head. `residual` has the layout of `dst` and may be `dst`; 0 is none. `count` = K, at least 1. */
export function conv(
  src: usize, offsets: usize, count: i32, weights: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, rowBytes: i32, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  const apart = residual ? residual - dst : none;
  // Up to a fifth more work is less than the other way costs; but a sum in its own place is not to be taken twice.
  const repeated = ((ow + 7) & ~7) - ow;
  if (repeated == 0 || (ow >= 8 && repeated * 5 <= ow && apart != 0)) rows8(src, offsets, count, weights, bias, apart, dst, outputs, oh, ow, rowBytes, low, high);
  else pixels4(src, offsets, count, weights, bias, apart, dst, outputs, oh, ow, rowBytes, low, high);
}
