/**
 * Convolution of signs by signs, over the planes of `sign-sums`:
 * `dst[o][y][x] = clamp(bias[o] + scale[o] * map[y][x] * sum_k plane[offset[o][k] + y * cols + x] + residual)`, k over blocks of channels and taps.
 * A part of so many k as cannot exceed a byte adds up in bytes, and parts in 16 bits. The stream holds the int32 offsets of a part for all
 * outputs, then those of the next; 64 pixels of the flat planes at a time read no more for a part than the first-level cache holds.
 * Loads bound it: neither unrolling nor relaxed instructions help.
 */
import { clamp, madd, none, put } from "./_lanes";

/** Adds 16 bytes to 16 sums of 16 bits, which are 0 before the first part. */
@inline
function widen(at: usize, v: v128, isFirst: bool): void {
  let low = i16x8.extend_low_i8x16_s(v), high = i16x8.extend_high_i8x16_s(v);
  if (!isFirst) {
    low = i16x8.add(low, v128.load(at));
    high = i16x8.add(high, v128.load(at, 16));
  }
  v128.store(at, low);
  v128.store(at, high, 16);
}

/** Adds a part at 64 pixels from `s` to the sums of all outputs, of 128 bytes each. */
function add64(s: usize, stream: usize, bytes: usize, sums: usize, end: usize, isFirst: bool): void {
  for (; sums < end; sums += 128) {
    let a0 = i8x16.splat(0), a1 = a0, a2 = a0, a3 = a0;
    for (const stop: usize = stream + bytes; stream < stop; stream += 4) {
      const p: usize = s + load<i32>(stream);
      a0 = i8x16.add(a0, v128.load(p));
      a1 = i8x16.add(a1, v128.load(p, 16));
      a2 = i8x16.add(a2, v128.load(p, 32));
      a3 = i8x16.add(a3, v128.load(p, 48));
    }
    widen(sums, a0, isFirst);
    widen(sums + 32, a1, isFirst);
    widen(sums + 64, a2, isFirst);
    widen(sums + 96, a3, isFirst);
  }
}

/** The same at 32 pixels. */
function add32(s: usize, stream: usize, bytes: usize, sums: usize, end: usize, isFirst: bool): void {
  for (; sums < end; sums += 128) {
    let a0 = i8x16.splat(0), a1 = a0;
    for (const stop: usize = stream + bytes; stream < stop; stream += 4) {
      const p: usize = s + load<i32>(stream);
      a0 = i8x16.add(a0, v128.load(p));
      a1 = i8x16.add(a1, v128.load(p, 16));
    }
    widen(sums, a0, isFirst);
    widen(sums + 32, a1, isFirst);
  }
}

/** The same at 16 pixels. */
function add16(s: usize, stream: usize, bytes: usize, sums: usize, end: usize, isFirst: bool): void {
  for (; sums < end; sums += 128) {
    let a = i8x16.splat(0);
    for (const stop: usize = stream + bytes; stream < stop; stream += 4) a = i8x16.add(a, v128.load(s + load<i32>(stream)));
    widen(sums, a, isFirst);
  }
}

/** Four sums of 16 bits. */
@inline
function floats(at: usize): v128 {
  return f32x4.convert_i32x4_s(v128.load16x4_s(at));
}

/** See the head. `map` (y, x) may be 0, then it is 1. `residual` has the layout of `dst` and may be `dst`; 0 is none. `sums` is room for 128 bytes an output. */
export function xnorConv(
  src: usize, stream: usize, count: i32, part: i32, scales: usize, map: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, cols: i32, sums: usize, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  const plane: usize = oh * ow * 4;
  const apart = residual ? residual - dst : none;
  const sumsEnd: usize = sums + outputs * 128;
  const plain = map == 0 && residual == 0;
  const flat = (oh - 1) * cols + ow;
  let x = 0, y = 0;
  for (let f = 0; f < flat; f += 64) {
    const end = min(64, flat - f);
    let s = stream;
    for (let left = count; left > 0; left -= part) {
      const bytes: usize = min(left, part) * 4;
      if (end > 32) add64(src + f, s, bytes, sums, sumsEnd, left == count);
      else if (end > 16) add32(src + f, s, bytes, sums, sumsEnd, left == count);
      else add16(src + f, s, bytes, sums, sumsEnd, left == count);
      s += bytes * outputs;
    }
    let to: usize = dst + (y * ow + x) * 4;
    let o: usize = 0;
    let far = map ? map - dst : none;
    for (let sum = sums; sum < sumsEnd; sum += 128) {
      const scale = v128.load32_splat(scales + o), shift = v128.load32_splat(bias + o);
      let at = to;
      let column = x;
      for (let i = 0; i < end; ) {
        const row = i - column;
        const stop = min(end, row + ow);
        if (plain)
          for (; i + 16 <= stop; i += 16, at += 64) {
            const from: usize = sum + i * 2;
            v128.store(at, clamp(madd(floats(from), scale, shift), low, high));
            v128.store(at, clamp(madd(floats(from + 8), scale, shift), low, high), 16);
            v128.store(at, clamp(madd(floats(from + 16), scale, shift), low, high), 32);
            v128.store(at, clamp(madd(floats(from + 24), scale, shift), low, high), 48);
          }
        for (; i < stop; i += 4) {
          let v = f32x4.mul(floats(sum + i * 2), scale);
          if (far != none) v = f32x4.mul(v, v128.load(at + far));
          v = f32x4.add(v, shift);
          if (apart != none) v = f32x4.add(v, v128.load(at + apart));
          v = clamp(v, low, high);
          const left = stop - i;
          if (left < 4) {
            put(at, v, left);
            at += left * 4;
          } else {
            v128.store(at, v);
            at += 16;
          }
        }
        i = row + cols;
        column = 0;
      }
      to += plane;
      if (far != none) far -= plane;
      o += 4;
    }
    x += 64;
    while (x >= cols) (x -= cols), y++;
  }
}
