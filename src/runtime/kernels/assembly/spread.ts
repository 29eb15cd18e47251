/**
 * The padded image as phase planes `dst[c][phase][rows][cols]`, phase = py * strideX + px:
 * `dst[c][py, px][r][q] = src[c][r * strideY + py - top][q * strideX + px - left]`, or `fill` outside of the image.
 * With it every tap of a convolution or pool is a constant distance, and neighbouring outputs are neighbours in a plane.
 * Rows are written in ascending order, so what a vector writes past a row's end is overwritten by the next row.
 */

/** Writes `fill` from `at` to `end`, up to 12 bytes more. */
@inline
function pad(at: usize, end: usize, fill: v128): void {
  for (; at < end; at += 16) v128.store(at, fill);
}

/** Writes one row of a phase: `cols` floats, of which q in [from, to) come from `row + q * step`. */
@inline
function writeRow(row: usize, dst: usize, cols: i32, from: i32, to: i32, strideX: i32, fill: v128): void {
  pad(dst, dst + from * 4, fill);
  const end: usize = dst + to * 4;
  let at: usize = dst + from * 4;
  let source: usize = row + from * strideX * 4;
  if (strideX == 1) {
    for (; at < end; at += 16, source += 16) v128.store(at, v128.load(source));
  } else if (strideX == 2) {
    for (; at < end; at += 16, source += 32)
      v128.store(at, i32x4.shuffle(v128.load(source), v128.load(source, 16), 0, 2, 4, 6));
  } else {
    for (; at < end; at += 4, source += strideX * 4) store<f32>(at, load<f32>(source));
  }
  pad(end, dst + cols * 4, fill);
}

/** See the head; sizes in elements, `src` and `dst` in bytes. */
export function spread(
  src: usize,
  dst: usize,
  channels: i32,
  h: i32,
  w: i32,
  top: i32,
  left: i32,
  rows: i32,
  cols: i32,
  strideY: i32,
  strideX: i32,
  fill: f32,
): void {
  const fills = f32x4.splat(fill);
  for (let c = 0; c < channels; c++) {
    for (let py = 0; py < strideY; py++) {
      for (let px = 0; px < strideX; px++) {
        const shift = px - left;
        let from = shift < 0 ? (-shift + strideX - 1) / strideX : 0;
        let to = shift < w ? (w - 1 - shift) / strideX + 1 : 0;
        if (from > cols) from = cols;
        if (to > cols) to = cols;
        if (to < from) to = from;
        for (let r = 0; r < rows; r++) {
          const y = r * strideY + py - top;
          const row: usize = src + (y * w + shift) * 4;
          if (y < 0 || y >= h) pad(dst, dst + cols * 4, fills);
          else writeRow(row, dst, cols, from, to, strideX, fills);
          dst += cols * 4;
        }
      }
    }
    src += h * w * 4;
  }
}
