/**
 * Convolution on integers over planes of channel pairs (`spread-int8`): `sum = bias[o] + sum_k weight[o][k] * plane[offsets[k] + y * rowBytes + 4 x]`,
 * k over pairs of channels and taps, both factors two int16 whose products are added up: i32x4.dot_i16x8_s takes 8 products.
 * Weights are packed [O/8][K][8][2]. 4 pixels of the flattened map x 8 outputs, outputs in the lanes, pixels broadcast; pixels beside each
 * other have one address.
 * Writes `round(clamp(sum * scales[o], lo, hi)) + zero` as bytes, halves to even, or `clamp(sum * scales[o], lo, hi)` as floats.
 */
import { round4 } from "./_bytes";
import { clamp } from "./_lanes";

@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(a, b));
}

@inline
function scaled(sum: v128, scale: v128, lo: v128, hi: v128): v128 {
  return clamp(f32x4.mul(f32x4.convert_i32x4_s(sum), scale), lo, hi);
}

/** Stores four pixels of four outputs, of which `lanes` and `left` are wanted, by way of 64 bytes at `room` where they are not whole. */
function closeSquare(
  at: usize, plane: usize, p0: v128, p1: v128, p2: v128, p3: v128,
  scales: usize, lanes: i32, left: i32, lo: v128, hi: v128, zero: v128, room: usize, floats: i32,
): void {
  const s = v128.load(scales);
  p0 = scaled(p0, s, lo, hi);
  p1 = scaled(p1, s, lo, hi);
  p2 = scaled(p2, s, lo, hi);
  p3 = scaled(p3, s, lo, hi);
  if (floats) {
    v128.store(room, p0);
    v128.store(room, p1, 16);
    v128.store(room, p2, 32);
    v128.store(room, p3, 48);
    for (let o = 0; o < min(left, 4); o++, at += plane)
      for (let p = 0; p < min(lanes, 4); p++) store<f32>(at + p * 4, load<f32>(room + p * 16 + o * 4));
    return;
  }
  const a = i8x16.shuffle(round4(p0, zero), round4(p1, zero), 0, 16, 4, 20, 8, 24, 12, 28, 0, 0, 0, 0, 0, 0, 0, 0);
  const b = i8x16.shuffle(round4(p2, zero), round4(p3, zero), 0, 16, 4, 20, 8, 24, 12, 28, 0, 0, 0, 0, 0, 0, 0, 0);
  const v = i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  if (left >= 4 && lanes >= 4) {
    v128.store32_lane(at, v, 0);
    v128.store32_lane(at + plane, v, 1);
    v128.store32_lane(at + plane * 2, v, 2);
    v128.store32_lane(at + plane * 3, v, 3);
    return;
  }
  v128.store(room, v);
  for (let o = 0; o < min(left, 4); o++, at += plane)
    for (let p = 0; p < min(lanes, 4); p++) store<u8>(at + p, load<u8>(room + o * 4 + p));
}

/** See the head. `count` = K, at least 1; `scales` and `bias` may be read up to 28 bytes behind the last; `floats` 0 or 1, `room` 64 bytes. */
export function convInt8(
  src: usize, offsets: usize, count: i32, weights: usize, bias: usize, scales: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, rowBytes: i32, lo: f32, hi: f32, zero: i32, room: usize, floats: i32,
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
      if (s3 - s0 == 12) {
        for (let k = offsets; k < end; k += 4) {
          const f: usize = s0 + load<i32>(k);
          const v = v128.load(w), u = v128.load(w, 16);
          let t = v128.load32_splat(f);
          a0 = madd(v, t, a0);
          a1 = madd(u, t, a1);
          t = v128.load32_splat(f, 4);
          a2 = madd(v, t, a2);
          a3 = madd(u, t, a3);
          t = v128.load32_splat(f, 8);
          a4 = madd(v, t, a4);
          a5 = madd(u, t, a5);
          t = v128.load32_splat(f, 12);
          a6 = madd(v, t, a6);
          a7 = madd(u, t, a7);
          w += 32;
        }
      } else {
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
      }
      closeSquare(at, plane, a0, a2, a4, a6, scales, lanes, left, low, high, z, room, floats);
      if (left > 4)
        closeSquare(at + plane * 4, plane, a1, a3, a5, a7, scales + 16, lanes, left - 4, low, high, z, room, floats);
      at += 4 << shift;
    }
    weights += count * 32;
    bias += 32;
    scales += 32;
    dst += plane * 8;
  }
}
