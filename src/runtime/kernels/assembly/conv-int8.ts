/**
 * Convolution on integers over planes of channel pairs (`spread-int8`): `sum = bias[o] + sum_k weight[o][k] * plane[offsets[k] + y * rowBytes + 4 x]`,
 * k over pairs of channels and taps, both factors two int16 whose products are added up: i32x4.dot_i16x8_s takes 8 products.
 * Weights are packed [O/8][K][8][2]. 4 pixels of the flattened map x 8 outputs, outputs in the lanes, pixels broadcast.
 * Writes `round(clamp(sum * scales[o], lo, hi)) + zero` as bytes, halves to even, or `clamp(sum * scales[o], lo, hi)` as floats.
 */
import { round4 } from "./_bytes";
import { clamp, put } from "./_lanes";

@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(a, b));
}

/** Stores the first `lanes` of the four bytes that lane 0 is. */
function putBytes(at: usize, v: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store32_lane(at, v, 0);
    return;
  }
  v128.store8_lane(at, v, 0);
  if (lanes > 1) v128.store8_lane(at, v, 1, 1);
  if (lanes > 2) v128.store8_lane(at, v, 2, 2);
}

@inline
function scaled(sum: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sum), scale);
}

/** Turns four pixels of four outputs into four outputs of four pixels, and stores those of the first `left` outputs. */
function closeSquare(
  at: usize, plane: usize, p0: v128, p1: v128, p2: v128, p3: v128,
  scales: usize, lanes: i32, left: i32, lo: v128, hi: v128, zero: v128, floats: i32,
): void {
  const s = v128.load(scales);
  p0 = scaled(p0, s);
  p1 = scaled(p1, s);
  p2 = scaled(p2, s);
  p3 = scaled(p3, s);
  if (floats) {
    const a = i32x4.shuffle(p0, p1, 0, 4, 1, 5), b = i32x4.shuffle(p2, p3, 0, 4, 1, 5);
    const c = i32x4.shuffle(p0, p1, 2, 6, 3, 7), d = i32x4.shuffle(p2, p3, 2, 6, 3, 7);
    put(at, clamp(i64x2.shuffle(a, b, 0, 2), lo, hi), lanes);
    if (left > 1) put(at + plane, clamp(i64x2.shuffle(a, b, 1, 3), lo, hi), lanes);
    if (left > 2) put(at + plane * 2, clamp(i64x2.shuffle(c, d, 0, 2), lo, hi), lanes);
    if (left > 3) put(at + plane * 3, clamp(i64x2.shuffle(c, d, 1, 3), lo, hi), lanes);
    return;
  }
  p0 = round4(p0, lo, hi, zero);
  p1 = round4(p1, lo, hi, zero);
  p2 = round4(p2, lo, hi, zero);
  p3 = round4(p3, lo, hi, zero);
  const a = i8x16.shuffle(p0, p1, 0, 16, 4, 20, 8, 24, 12, 28, 0, 0, 0, 0, 0, 0, 0, 0);
  const b = i8x16.shuffle(p2, p3, 0, 16, 4, 20, 8, 24, 12, 28, 0, 0, 0, 0, 0, 0, 0, 0);
  const v = i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  putBytes(at, v, lanes);
  if (left > 1) putBytes(at + plane, i32x4.shuffle(v, v, 1, 1, 1, 1), lanes);
  if (left > 2) putBytes(at + plane * 2, i32x4.shuffle(v, v, 2, 2, 2, 2), lanes);
  if (left > 3) putBytes(at + plane * 3, i32x4.shuffle(v, v, 3, 3, 3, 3), lanes);
}

/** See the head. `count` = K, at least 1; `scales` and `bias` may be read up to 28 bytes behind the last; `floats` 0 or 1. */
export function convInt8(
  src: usize, offsets: usize, count: i32, weights: usize, bias: usize, scales: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, rowBytes: i32, lo: f32, hi: f32, zero: i32, floats: i32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi), z = i32x4.splat(zero);
  const pixels = oh * ow;
  const shift = floats << 1;
  const plane: usize = pixels << shift;
  const end: usize = offsets + count * 4;
  const jump: usize = rowBytes - ow * 4;
  for (let left = outputs; left > 0; left -= 8) {
    const b0 = v128.load(bias), b1 = v128.load(bias, 16);
    let at = dst;
    let s = src;
    let x = 0;
    for (let lanes = pixels; lanes > 0; lanes -= 4) {
      // Behind the last pixel a pointer repeats the one before, and what it brings is not stored.
      const s0 = s;
      s += 4;
      if (++x == ow) (x = 0), (s += jump);
      const s1 = lanes > 1 ? s : s0;
      s += 4;
      if (++x == ow) (x = 0), (s += jump);
      const s2 = lanes > 2 ? s : s0;
      s += 4;
      if (++x == ow) (x = 0), (s += jump);
      const s3 = lanes > 3 ? s : s0;
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
      closeSquare(at, plane, a0, a2, a4, a6, scales, lanes, left, low, high, z, floats);
      if (left > 4)
        closeSquare(at + plane * 4, plane, a1, a3, a5, a7, scales + 16, lanes, left - 4, low, high, z, floats);
      at += 4 << shift;
    }
    weights += count * 32;
    bias += 32;
    scales += 32;
    dst += plane * 8;
  }
}
