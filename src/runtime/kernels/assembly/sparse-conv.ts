/**
 * Sparse convolution over planes: the formula of `conv`, where only weights that are not zero stand in `stream`:
 * for each output, its int32 count, its int32 index, and `count` pairs (int32 byte offset into the planes, float32 weight).
 * Outputs of equal counts follow each other, so that the processor foresees the end of each inner loop.
 * Pixels in the lanes, outputs inside: a block of pixels stays in the cache while all outputs' streams pass. 16 pixels are four
 * vectors: neighbours of a row, or anywhere in the map. With more than four sums in nested loops V8 spills them, which costs more than
 * waiting for the additions.
 */
import { clamp, close, madd, none } from "./_lanes";

/** 16 neighbouring pixels from `s`, all outputs. */
function block16(
  s: usize, stream: usize, bias: usize, residual: usize, dst: usize, outputs: i32, plane: usize, low: f32, high: f32,
): void {
  const lo = f32x4.splat(low), hi = f32x4.splat(high);
  for (let o = 0; o < outputs; o++) {
    const count = load<i32>(stream);
    const output = load<i32>(stream, 4);
    const at: usize = dst + output * plane;
    stream += 8;
    let a0 = v128.load32_splat(bias + output * 4);
    let a1 = a0, a2 = a0, a3 = a0;
    for (const end: usize = stream + count * 8; stream < end; stream += 8) {
      const p: usize = s + load<i32>(stream);
      const w = v128.load32_splat(stream, 4);
      a0 = madd(v128.load(p), w, a0);
      a1 = madd(v128.load(p, 16), w, a1);
      a2 = madd(v128.load(p, 32), w, a2);
      a3 = madd(v128.load(p, 48), w, a3);
    }
    if (residual != none) {
      const r: usize = at + residual;
      a0 = f32x4.add(a0, v128.load(r));
      a1 = f32x4.add(a1, v128.load(r, 16));
      a2 = f32x4.add(a2, v128.load(r, 32));
      a3 = f32x4.add(a3, v128.load(r, 48));
    }
    v128.store(at, clamp(a0, lo, hi));
    v128.store(at, clamp(a1, lo, hi), 16);
    v128.store(at, clamp(a2, lo, hi), 32);
    v128.store(at, clamp(a3, lo, hi), 48);
  }
}

/** Four vectors of pixels at s0..s3, stored at d0..d3 as far as `n` and the last vector's `lanes` reach, all outputs. */
function block4(
  s0: usize, s1: usize, s2: usize, s3: usize, stream: usize, bias: usize, residual: usize,
  d0: usize, d1: usize, d2: usize, d3: usize, l0: i32, l1: i32, l2: i32, l3: i32,
  outputs: i32, plane: usize, low: f32, high: f32,
): void {
  const lo = f32x4.splat(low), hi = f32x4.splat(high);
  for (let o = 0; o < outputs; o++) {
    const count = load<i32>(stream);
    const output = load<i32>(stream, 4);
    const to: usize = output * plane;
    stream += 8;
    let a0 = v128.load32_splat(bias + output * 4);
    let a1 = a0, a2 = a0, a3 = a0;
    for (const end: usize = stream + count * 8; stream < end; stream += 8) {
      const p: usize = load<i32>(stream);
      const w = v128.load32_splat(stream, 4);
      a0 = madd(v128.load(s0 + p), w, a0);
      a1 = madd(v128.load(s1 + p), w, a1);
      a2 = madd(v128.load(s2 + p), w, a2);
      a3 = madd(v128.load(s3 + p), w, a3);
    }
    close(d0 + to, a0, residual, l0, lo, hi);
    if (l1) close(d1 + to, a1, residual, l1, lo, hi);
    if (l2) close(d2 + to, a2, residual, l2, lo, hi);
    if (l3) close(d3 + to, a3, residual, l3, lo, hi);
  }
}

/** 16 neighbouring pixels of channels `apart` bytes from each other, side by side. */
function gather(src: usize, room: usize, channels: i32, apart: usize): void {
  for (const end: usize = room + channels * 64; room < end; room += 64, src += apart) {
    v128.store(room, v128.load(src));
    v128.store(room, v128.load(src, 16), 16);
    v128.store(room, v128.load(src, 32), 32);
    v128.store(room, v128.load(src, 48), 48);
  }
}

/**
 * See the head. `residual` has the layout of `dst` and may be `dst`; 0 is none. Where `room` is not 0, `ow` is a multiple of 16, and 16 pixels of
 * `channels`, of `channelBytes` each, are copied there before they are read: the stream's offsets are 64 bytes a channel.
 */
export function sparseConv(
  src: usize, stream: usize, bias: usize, residual: usize, dst: usize,
  outputs: i32, oh: i32, ow: i32, rowBytes: i32, lo: f32, hi: f32, room: usize, channels: i32, channelBytes: usize,
): void {
  const plane: usize = oh * ow * 4;
  const apart = residual ? residual - dst : none;
  let x = 0, y = 0;
  while (y < oh) {
    let s: usize = src + y * rowBytes + x * 4;
    let d: usize = dst + (y * ow + x) * 4;
    if (ow - x >= 16) {
      if (room) {
        gather(s, room, channels, channelBytes);
        s = room;
      }
      block16(s, stream, bias, apart, d, outputs, plane, lo, hi);
      x += 16;
      if (x == ow) (x = 0), y++;
      continue;
    }
    const s0 = s, d0 = d, l0 = min(ow - x, 4);
    x += 4;
    if (x >= ow) (x = 0), y++;
    const l1 = y < oh ? min(ow - x, 4) : 0;
    const s1: usize = l1 ? src + y * rowBytes + x * 4 : s0, d1: usize = dst + (y * ow + x) * 4;
    if (l1) {
      x += 4;
      if (x >= ow) (x = 0), y++;
    }
    const l2 = y < oh ? min(ow - x, 4) : 0;
    const s2: usize = l2 ? src + y * rowBytes + x * 4 : s0, d2: usize = dst + (y * ow + x) * 4;
    if (l2) {
      x += 4;
      if (x >= ow) (x = 0), y++;
    }
    const l3 = y < oh ? min(ow - x, 4) : 0;
    const s3: usize = l3 ? src + y * rowBytes + x * 4 : s0, d3: usize = dst + (y * ow + x) * 4;
    if (l3) {
      x += 4;
      if (x >= ow) (x = 0), y++;
    }
    block4(s0, s1, s2, s3, stream, bias, apart, d0, d1, d2, d3, l0, l1, l2, l3, outputs, plane, lo, hi);
  }
}
