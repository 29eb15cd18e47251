/**
 * One row of a dense layer from indices into a table: `dst[o] = clamp(bias[o] + scales[o] * sum_k src[k] * table[index[o][k]] +
 * residual[o])`, outputs in the lanes. Indices have 4 or 8 bits, packed as for `decode`; each is used once, in registers, so that a large
 * layer's weights come over the memory bus in an eighth or a quarter of their bytes.
 */
import { fourOf8, lowerOf4, upperOf4 } from "./_codebook";
import { clamp, madd, put } from "./_lanes";

/** See the head. `table` as for `decode`; `scales` and `bias` hold a multiple of 8; `residual` may be `dst`; 0 is none. */
export function codebookGemm(
  src: usize, count: i32, indices: usize, bits: i32, table: usize, scales: usize, bias: usize, residual: usize,
  dst: usize, outputs: i32, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi), zero = f32x4.splat(0);
  const end: usize = src + count * 4;
  const end2: usize = src + (count & ~1) * 4;
  for (let o = 0; o < outputs; o += 8) {
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
    let s = src;
    if (bits == 4) {
      for (; s < end2; s += 8, indices += 8) {
        const word = load<u32>(indices), next = load<u32>(indices, 4);
        let x = v128.load32_splat(s);
        a0 = madd(lowerOf4(word, table), x, a0);
        a1 = madd(upperOf4(word, table), x, a1);
        x = v128.load32_splat(s, 4);
        a2 = madd(lowerOf4(next, table), x, a2);
        a3 = madd(upperOf4(next, table), x, a3);
      }
      if (s < end) {
        const word = load<u32>(indices);
        const x = v128.load32_splat(s);
        a0 = madd(lowerOf4(word, table), x, a0);
        a1 = madd(upperOf4(word, table), x, a1);
        indices += 4;
      }
    } else {
      for (; s < end; s += 4, indices += 8) {
        const x = v128.load32_splat(s);
        a0 = madd(fourOf8(indices, table), x, a0);
        a1 = madd(fourOf8(indices + 4, table), x, a1);
      }
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
