/**
 * Packed weights of 8 outputs from indices of 1 to 8 bits: `dst[k][j] = (table[index[k][j]] - zeros[j]) * scales[j]`, j in 0..7.
 * The indices of one k fill `bits` bytes, the first output in the lowest bits. Codebooks, integers and bit planes all are such
 * indices; a layer is decoded block by block, right before `conv` or `gemm` uses the block, and never lies decoded as a whole.
 * Four bits, a table of 64 bytes, are looked up sixteen at a time.
 */
import { four, look, nibbles, turn, zipHigh, zipLow, zipPairsHigh, zipPairsLow } from "./_codebook";

/** Two k at a time of indices of 4 bits. */
function decodePairs(indices: usize, table: usize, zeros: usize, scales: usize, dst: usize, end: usize): void {
  const z = v128.load(zeros), y = v128.load(zeros, 16);
  const s = v128.load(scales), t = v128.load(scales, 16);
  const r0 = turn(v128.load(table)), r1 = turn(v128.load(table, 16));
  const r2 = turn(v128.load(table, 32)), r3 = turn(v128.load(table, 48));
  const a = i32x4.shuffle(r0, r1, 0, 4, 1, 5), b = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
  const c = i32x4.shuffle(r0, r1, 2, 6, 3, 7), d = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  const p0 = i64x2.shuffle(a, b, 0, 2), p1 = i64x2.shuffle(a, b, 1, 3);
  const p2 = i64x2.shuffle(c, d, 0, 2), p3 = i64x2.shuffle(c, d, 1, 3);
  for (; dst < end; dst += 64, indices += 8) {
    const i = nibbles(indices);
    const b0 = look(p0, i), b1 = look(p1, i), b2 = look(p2, i), b3 = look(p3, i);
    let low = zipLow(b0, b1), high = zipLow(b2, b3);
    v128.store(dst, f32x4.mul(f32x4.sub(zipPairsLow(low, high), z), s));
    v128.store(dst, f32x4.mul(f32x4.sub(zipPairsHigh(low, high), y), t), 16);
    low = zipHigh(b0, b1);
    high = zipHigh(b2, b3);
    v128.store(dst, f32x4.mul(f32x4.sub(zipPairsLow(low, high), z), s), 32);
    v128.store(dst, f32x4.mul(f32x4.sub(zipPairsHigh(low, high), y), t), 48);
  }
}

/** See the head. `table` holds 2^bits floats, `zeros` and `scales` 8 each. */
export function decode(
  indices: usize, bits: i32, table: usize, zeros: usize, scales: usize, dst: usize, count: i32,
): void {
  const end: usize = dst + count * 32;
  if (bits == 4) {
    const pairs: usize = count >> 1;
    decodePairs(indices, table, zeros, scales, dst, dst + pairs * 64);
    indices += pairs * 8;
    dst += pairs * 64;
  }
  const z = v128.load(zeros), y = v128.load(zeros, 16);
  const s = v128.load(scales), t = v128.load(scales, 16);
  const width: u64 = bits;
  const mask: u64 = ((<u64>1) << width) - 1;
  for (; dst < end; dst += 32, indices += bits) {
    const word = load<u64>(indices);
    v128.store(dst, f32x4.mul(f32x4.sub(four(word, width, mask, table), z), s));
    v128.store(dst, f32x4.mul(f32x4.sub(four(word >> (width * 4), width, mask, table), y), t), 16);
  }
}
