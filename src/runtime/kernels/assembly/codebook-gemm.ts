/**
 * One row of a dense layer from indices into a table: `dst[o] = clamp(bias[o] + scales[o] * sum_k src[k] * table[index[o][k]] +
 * residual[o])`, outputs in the lanes. Indices have 4 or 8 bits, packed as for `decode`; each is used once, in registers, so that a large
 * layer's weights come over the memory bus in an eighth or a quarter of their bytes.
 */
import { four, look, nibbles, turn, zipHigh, zipLow, zipPairsHigh, zipPairsLow } from "./_codebook";
import { clamp, madd, put } from "./_lanes";

/** See the head. `table` holds 2^bits floats; `scales` and `bias` a multiple of 8; `residual` may be `dst`; 0 is none. */
export function codebookGemm(
  src: usize, count: i32, indices: usize, bits: i32, table: usize, scales: usize, bias: usize, residual: usize,
  dst: usize, outputs: i32, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi), zero = f32x4.splat(0);
  const end: usize = src + count * 4;
  const pairsEnd: usize = bits == 4 ? src + (count & ~1) * 4 : src;
  const width: u64 = bits;
  const mask: u64 = ((<u64>1) << width) - 1;
  const r0 = turn(v128.load(table)), r1 = turn(v128.load(table, 16));
  const r2 = turn(v128.load(table, 32)), r3 = turn(v128.load(table, 48));
  const a = i32x4.shuffle(r0, r1, 0, 4, 1, 5), b = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
  const c = i32x4.shuffle(r0, r1, 2, 6, 3, 7), d = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  const p0 = i64x2.shuffle(a, b, 0, 2), p1 = i64x2.shuffle(a, b, 1, 3);
  const p2 = i64x2.shuffle(c, d, 0, 2), p3 = i64x2.shuffle(c, d, 1, 3);
  for (let o = 0; o < outputs; o += 8) {
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
    let s = src;
    for (; s < pairsEnd; s += 8, indices += 8) {
      const i = nibbles(indices);
      const b0 = look(p0, i), b1 = look(p1, i), b2 = look(p2, i), b3 = look(p3, i);
      let v = zipLow(b0, b1), u = zipLow(b2, b3);
      let x = v128.load32_splat(s);
      a0 = madd(zipPairsLow(v, u), x, a0);
      a1 = madd(zipPairsHigh(v, u), x, a1);
      v = zipHigh(b0, b1);
      u = zipHigh(b2, b3);
      x = v128.load32_splat(s, 4);
      a2 = madd(zipPairsLow(v, u), x, a2);
      a3 = madd(zipPairsHigh(v, u), x, a3);
    }
    for (; s < end; s += 4, indices += bits) {
      const word = load<u64>(indices);
      const x = v128.load32_splat(s);
      a0 = madd(four(word, width, mask, table), x, a0);
      a1 = madd(four(word >> (width * 4), width, mask, table), x, a1);
    }
    a0 = f32x4.add(v128.load(bias), f32x4.mul(v128.load(scales), f32x4.add(a0, a2)));
    a1 = f32x4.add(v128.load(bias, 16), f32x4.mul(v128.load(scales, 16), f32x4.add(a1, a3)));
    if (residual) {
      a0 = f32x4.add(a0, v128.load(residual));
      a1 = f32x4.add(a1, v128.load(residual, 16));
      residual += 32;
    }
    const left = outputs - o;
    put(dst, clamp(a0, low, high), left);
    if (left > 4) put(dst + 16, clamp(a1, low, high), left - 4);
    bias += 32;
    scales += 32;
    dst += 32;
  }
}
