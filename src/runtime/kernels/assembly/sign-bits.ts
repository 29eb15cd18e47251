/**
 * Signs of a map's channels, four to a byte, as the padded phase planes of `spread`:
 * `dst[block][phase][row][col] = sum_j 2^j [src[4 block + j] < 0]` inside of the image, 128 at pads.
 * A 0 has no sign: where the image has one, `passes` becomes 2, and behind the planes stand others in which a 0 is negative; what both
 * give, halved, is what a 0 gives.
 */

/** Signs of 16 floats: as integers they saturate to bytes of their sign, once adding 0 has made -0 a 0. */
@inline
function signs(at: usize): v128 {
  const zero = f32x4.splat(0);
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(f32x4.add(v128.load(at), zero), f32x4.add(v128.load(at, 16), zero)),
    i16x8.narrow_i32x4_s(f32x4.add(v128.load(at, 32), zero), f32x4.add(v128.load(at, 48), zero)),
  );
}

/** The bytes of `channels` maps of `count` pixels, of which those below `limit` are negative; says whether there is a 0. */
function pack(src: usize, dst: usize, count: i32, channels: i32, limit: v128): bool {
  const zero = i8x16.splat(0);
  const s1: usize = channels > 1 ? count * 4 : 0, s2: usize = channels > 2 ? count * 8 : 0;
  const s3: usize = channels > 3 ? count * 12 : 0;
  const bit0 = i8x16.splat(1), bit1 = i8x16.splat(s1 ? 2 : 0), bit2 = i8x16.splat(s2 ? 4 : 0), bit3 = i8x16.splat(s3 ? 8 : 0);
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  let zeros = zero;
  for (; count > 0; count -= 16, src += 64, dst += 16) {
    const a = signs(src);
    let none = i8x16.eq(a, zero);
    let bits = v128.and(i8x16.lt_s(a, limit), bit0);
    v128.store(dst, v128.or(bits, none));
    const b = signs(src + s1);
    none = v128.or(none, i8x16.eq(b, zero));
    bits = v128.or(bits, v128.and(i8x16.lt_s(b, limit), bit1));
    v128.store(dst, v128.or(bits, none));
    const c = signs(src + s2);
    none = v128.or(none, i8x16.eq(c, zero));
    bits = v128.or(bits, v128.and(i8x16.lt_s(c, limit), bit2));
    v128.store(dst, v128.or(bits, none));
    const d = signs(src + s3);
    none = v128.or(none, i8x16.eq(d, zero));
    zeros = v128.or(zeros, v128.and(none, i8x16.gt_s(i8x16.splat(<i8>min(count, 16)), lanes)));
    v128.store(dst, v128.or(bits, v128.and(i8x16.lt_s(d, limit), bit3)));
  }
  return v128.any_true(zeros);
}

/** Bytes of an image as phase planes; 16 bytes of pads behind a row's pixels are what vectors wrote too far. */
function lay(
  src: usize, dst: usize, h: i32, w: i32, top: i32, left: i32, rows: i32, cols: i32, strideY: i32, strideX: i32,
): void {
  const pads = i8x16.splat(-128);
  for (let py = 0; py < strideY; py++)
    for (let px = 0; px < strideX; px++) {
      const shift = px - left;
      const from = shift < 0 ? min((strideX - 1 - shift) / strideX, cols) : 0;
      const to = max(from, shift < w ? min((w - 1 - shift) / strideX + 1, cols) : 0);
      for (let r = 0; r < rows; r++, dst += cols) {
        const y = r * strideY + py - top;
        const end: usize = y < 0 || y >= h ? dst : dst + to;
        let at: usize = dst;
        if (end != dst) {
          for (; at < dst + from; at += 16) v128.store(at, pads);
          at = dst + from;
          let s: usize = src + y * w + shift + from * strideX;
          if (strideX == 1) for (; at < end; at += 16, s += 16) v128.store(at, v128.load(s));
          else for (; at < end; at++, s += strideX) store<u8>(at, load<u8>(s));
        }
        for (at = end; at < dst + cols; at += 16) v128.store(at, pads);
      }
    }
}

/**
 * See the head; sizes as of `spread`, of which `rows` is 0 where the image is its own plane. Planes are `planeBytes` apart, at least 16
 * more than they hold, and `room` is for h w bytes.
 */
export function signBits(
  src: usize, dst: usize, passes: usize, room: usize, channels: i32, planeBytes: usize,
  h: i32, w: i32, top: i32, left: i32, rows: i32, cols: i32, strideY: i32, strideX: i32,
): void {
  let hasZero = false;
  for (let pass = 0; pass < 2; pass++) {
    const limit = i8x16.splat(<i8>pass);
    for (let c = 0; c < channels; c += 4, dst += planeBytes) {
      const found = pack(src + c * h * w * 4, rows ? room : dst, h * w, channels - c, limit);
      hasZero = hasZero || found;
      if (rows) lay(room, dst, h, w, top, left, rows, cols, strideY, strideX);
    }
    if (!hasZero) break;
  }
  store<i32>(passes, hasZero ? 2 : 1);
}
