/**
 * The padded image of 8-bit numbers as phase planes (`spread`) of channel pairs: an element is two int16, `(src[2 c] ^ flip) - zero` and
 * the same of channel 2 c + 1, both 0 outside of the image. The pair of a last odd channel is the channel itself; its weight is 0.
 * Rows are written in ascending order, so what a vector writes past a row's end is overwritten by the next row; 28 bytes behind the last.
 */

/** Writes zeros from `at` to `end`, up to 12 bytes more. */
@inline
function blank(at: usize, end: usize): void {
  for (; at < end; at += 16) v128.store(at, i32x4.splat(0));
}

/** Writes the elements q in [from, to) of a row of `cols`, from bytes at `row + q * step` and `beside` further. */
@inline
function writeRow(
  row: usize, beside: usize, dst: usize, cols: i32, from: i32, to: i32, step: i32, flip: v128, zero: v128,
): void {
  const end: usize = dst + to * 4;
  let at: usize = dst + from * 4;
  blank(dst, at);
  for (let s: usize = row + from * step; at < end; s += 8 * step) {
    let v: v128;
    if (step == 1) {
      v = i8x16.shuffle(
        v128.load64_zero(s), v128.load64_zero(s + beside), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
      );
    } else if (step == 2) {
      v = i8x16.shuffle(
        v128.load(s), v128.load(s + beside), 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30,
      );
    } else {
      v = i8x16.splat(load<u8>(s));
      v = i8x16.replace_lane(v, 1, load<u8>(s + beside));
      s -= 7 * step;
    }
    v = v128.xor(v, flip);
    v128.store(at, i16x8.sub(i16x8.extend_low_i8x16_u(v), zero));
    if (step <= 2) {
      v128.store(at, i16x8.sub(i16x8.extend_high_i8x16_u(v), zero), 16);
      at += 32;
    } else at += 4;
  }
  blank(end, dst + cols * 4);
}

/** See the head; sizes in elements, `src` and `dst` in bytes. */
export function spreadInt8(
  src: usize, dst: usize, channels: i32, h: i32, w: i32, top: i32, left: i32, rows: i32, cols: i32,
  strideY: i32, strideX: i32, flip: i32, zero: i32,
): void {
  const f = i8x16.splat(<i8>flip), z = i16x8.splat(<i16>zero);
  for (let c = channels; c > 0; c -= 2) {
    const beside: usize = c > 1 ? h * w : 0;
    for (let py = 0; py < strideY; py++) {
      for (let px = 0; px < strideX; px++) {
        const shift = px - left;
        const from = min(cols, shift < 0 ? (strideX - 1 - shift) / strideX : 0);
        const to = max(from, min(cols, shift < w ? (w - 1 - shift) / strideX + 1 : 0));
        for (let r = 0; r < rows; r++) {
          const y = r * strideY + py - top;
          const inside = y >= 0 && y < h;
          writeRow(src + y * w + shift, beside, dst, cols, inside ? from : 0, inside ? to : 0, strideX, f, z);
          dst += cols * 4;
        }
      }
    }
    src += h * w * 2;
  }
}
