/**
 * Convolution of signs by signs, over the planes of `sign-bits`:
 * `dst[o][y][x] = clamp(bias[o] + scale[o] * map[y][x] * (terms[f] - 2 unlike[o][f]) + residual)`, f = y cols + x,
 * where `unlike` counts signs of the window that differ from their weights', and `terms` those that are no pads.
 * Four channels' signs are an index into a table of 16 bytes, which the signs of eight weights choose: a byte holds the counts of two
 * outputs, 4 bits each. Three of these bytes are added before either count may overflow, so one swizzle is 128 products. A sum T of such bytes and
 * one H of them shifted by 4 bits, as 16-bit lanes, give all counts modulo 256, which no part of `partSteps` steps exceeds.
 * The stream holds the tables' byte offsets (16 bits) of a part for all pairs of outputs, then those of the next.
 */
import { clamp, madd, none, put } from "./_lanes";

/** Steps, of four channels at a tap each, that a byte counts. */
@inline const partSteps: i32 = 63;
/** Pixels at a time, and bytes of their counts for a pair of outputs. */
@inline const tile: i32 = 64;
@inline const pairBytes: usize = 256;

@inline
function look(table: v128, indices: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(table, indices) : i8x16.swizzle(table, indices);
}

@inline
function three(a: v128, b: v128, c: v128, q: usize): v128 {
  return i8x16.add(i8x16.add(look(a, v128.load(q)), look(b, v128.load(q, 64))), look(c, v128.load(q, 128)));
}

/** Adds `factor` times the counts of 16 pixels of a pair to what stands at `first` and `second` for its outputs. */
@inline
function resolve(at: usize, t: v128, h: v128, factor: v128, first: usize, second: usize): void {
  const low = i16x8.splat(255);
  const b1 = i16x8.shr_u(h, 8);
  const a1 = v128.and(i16x8.sub(i16x8.shr_u(t, 8), i16x8.shl(b1, 4)), low);
  const b0 = v128.and(i16x8.sub(h, i16x8.shl(a1, 4)), low);
  const a0 = v128.and(i16x8.sub(t, i16x8.shl(b0, 4)), low);
  v128.store(at, i16x8.add(v128.load(first), i16x8.mul(a0, factor)));
  v128.store(at, i16x8.add(v128.load(first, 16), i16x8.mul(a1, factor)), 16);
  v128.store(at, i16x8.add(v128.load(second), i16x8.mul(b0, factor)), 128);
  v128.store(at, i16x8.add(v128.load(second, 16), i16x8.mul(b1, factor)), 144);
}

/**
 * Adds a part of `steps` at 64 pixels, whose indices stand at `room`, to the sums of all pairs. What is stored behind them nobody reads: V8
 * moves no load across a store, and would otherwise load all indices first and spill the sums.
 */
function add64(room: usize, tables: usize, stream: usize, steps: i32, sums: usize, end: usize, terms: usize, factor: v128, isFirst: bool): void {
  const last: usize = room + steps * tile, last3: usize = last - (steps % 3) * tile;
  for (; sums < end; sums += pairBytes) {
    let t0 = i8x16.splat(0), t1 = t0, t2 = t0, t3 = t0, h0 = t0, h1 = t0, h2 = t0, h3 = t0;
    let q = room;
    for (; q < last3; q += 3 * tile, stream += 6) {
      const a = v128.load(tables + load<u16>(stream)), b = v128.load(tables + load<u16>(stream, 2));
      const c = v128.load(tables + load<u16>(stream, 4));
      const v0 = three(a, b, c, q);
      t0 = i8x16.add(t0, v0);
      h0 = i8x16.add(h0, i16x8.shr_u(v0, 4));
      v128.store(last, h0);
      const v1 = three(a, b, c, q + 16);
      t1 = i8x16.add(t1, v1);
      h1 = i8x16.add(h1, i16x8.shr_u(v1, 4));
      v128.store(last, h1);
      const v2 = three(a, b, c, q + 32);
      t2 = i8x16.add(t2, v2);
      h2 = i8x16.add(h2, i16x8.shr_u(v2, 4));
      v128.store(last, h2);
      const v3 = three(a, b, c, q + 48);
      t3 = i8x16.add(t3, v3);
      h3 = i8x16.add(h3, i16x8.shr_u(v3, 4));
    }
    for (; q < last; q += tile, stream += 2) {
      const a = v128.load(tables + load<u16>(stream));
      const v0 = look(a, v128.load(q)), v1 = look(a, v128.load(q, 16));
      const v2 = look(a, v128.load(q, 32)), v3 = look(a, v128.load(q, 48));
      t0 = i8x16.add(t0, v0);
      t1 = i8x16.add(t1, v1);
      t2 = i8x16.add(t2, v2);
      t3 = i8x16.add(t3, v3);
      h0 = i8x16.add(h0, i16x8.shr_u(v0, 4));
      h1 = i8x16.add(h1, i16x8.shr_u(v1, 4));
      h2 = i8x16.add(h2, i16x8.shr_u(v2, 4));
      h3 = i8x16.add(h3, i16x8.shr_u(v3, 4));
    }
    const first = isFirst ? terms : sums, second = isFirst ? terms : sums + 128;
    resolve(sums, t0, h0, factor, first, second);
    resolve(sums + 32, t1, h1, factor, first + 32, second + 32);
    resolve(sums + 64, t2, h2, factor, first + 64, second + 64);
    resolve(sums + 96, t3, h3, factor, first + 96, second + 96);
  }
}

/** The same at 16 pixels. */
function add16(room: usize, tables: usize, stream: usize, steps: i32, sums: usize, end: usize, terms: usize, factor: v128, isFirst: bool): void {
  const last: usize = room + steps * tile, last3: usize = last - (steps % 3) * tile;
  for (; sums < end; sums += pairBytes) {
    let t = i8x16.splat(0), h = t;
    let q = room;
    for (; q < last3; q += 3 * tile, stream += 6) {
      const a = v128.load(tables + load<u16>(stream)), b = v128.load(tables + load<u16>(stream, 2));
      const v = three(a, b, v128.load(tables + load<u16>(stream, 4)), q);
      t = i8x16.add(t, v);
      h = i8x16.add(h, i16x8.shr_u(v, 4));
    }
    for (; q < last; q += tile, stream += 2) {
      const v = look(v128.load(tables + load<u16>(stream)), v128.load(q));
      t = i8x16.add(t, v);
      h = i8x16.add(h, i16x8.shr_u(v, 4));
    }
    resolve(sums, t, h, factor, isFirst ? terms : sums, isFirst ? terms : sums + 128);
  }
}

/** Even lanes are the first 8 of 16 pixels, odd lanes the others. */
@inline
function interleave(v: v128): v128 {
  return i8x16.shuffle(v, v, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** The indices of 64 pixels from `src` at all `steps`, of which `offsets` tells where. */
function gather(src: usize, offsets: usize, steps: i32, room: usize): void {
  for (const end: usize = room + steps * tile; room < end; room += tile, offsets += 4) {
    const p: usize = src + load<i32>(offsets);
    v128.store(room, interleave(v128.load(p)));
    v128.store(room, interleave(v128.load(p, 16)), 16);
    v128.store(room, interleave(v128.load(p, 32)), 32);
    v128.store(room, interleave(v128.load(p, 48)), 48);
  }
}

/** Four sums of 16 bits. */
@inline
function floats(at: usize): v128 {
  return f32x4.convert_i32x4_s(v128.load16x4_s(at));
}

/**
 * See the head. `passes` says how many planes of `passBytes` there are. `map` (y, x) may be 0, then it is 1. `residual` has the layout of
 * `dst` and may be `dst`; 0 is none. `terms` are int16. `room` is for 64 steps' 64 bytes, then 128 of each output of an even number.
 */
export function xnorConv(
  src: usize, passes: usize, passBytes: usize, offsets: usize, steps: i32, tables: usize, stream: usize, terms: usize,
  scales: usize, map: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, cols: i32, room: usize, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  const plane: usize = oh * ow * 4;
  const apart = residual ? residual - dst : none;
  const pairs: usize = (outputs + 1) / 2;
  const sums: usize = room + (partSteps + 1) * tile;
  const sumsEnd: usize = sums + outputs * 128;
  const isAlone = map == 0 && residual == 0;
  const isPlain = isAlone && lo == -Infinity && hi == Infinity;
  const flat = (oh - 1) * cols + ow;
  const times = load<i32>(passes);
  const factor = i16x8.splat(<i16>(times - 3));
  let x = 0, y = 0;
  for (let f = 0; f < flat; f += tile) {
    const end = min(tile, flat - f);
    for (let pass = 0; pass < times; pass++) {
      let s = stream;
      for (let k = 0; k < steps; k += partSteps) {
        const part = min(partSteps, steps - k);
        const isFirst = pass + k == 0;
        gather(src + pass * passBytes + f, offsets + k * 4, part, room);
        if (end > 32) add64(room, tables, s, part, sums, sumsEnd, terms + f * 2, factor, isFirst);
        else
          for (let i = 0; i < end; i += 16)
            add16(room + i, tables, s, part, sums + i * 2, sumsEnd, terms + (f + i) * 2, factor, isFirst);
        s += part * pairs * 2;
      }
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
        if (isPlain)
          for (; i + 16 <= stop; i += 16, at += 64) {
            const from: usize = sum + i * 2;
            v128.store(at, madd(floats(from), scale, shift));
            v128.store(at, madd(floats(from + 8), scale, shift), 16);
            v128.store(at, madd(floats(from + 16), scale, shift), 32);
            v128.store(at, madd(floats(from + 24), scale, shift), 48);
          }
        else if (isAlone)
          for (; i + 8 <= stop; i += 8, at += 32) {
            const from: usize = sum + i * 2;
            v128.store(at, clamp(madd(floats(from), scale, shift), low, high));
            v128.store(at, clamp(madd(floats(from + 8), scale, shift), low, high), 16);
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
    x += tile;
    while (x >= cols) (x -= cols), y++;
  }
}
