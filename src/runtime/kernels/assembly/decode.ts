/**
 * Packed weights of 8 outputs from indices of 1 to 8 bits: `dst[k][j] = (table[index[k][j]] - zeros[j]) * scales[j]`, j in 0..7.
 * The indices of one k fill `bits` bytes, the first output in the lowest bits. Codebooks, integers and bit planes all are such
 * indices; a layer is decoded block by block, right before `conv` or `gemm` uses the block, and never lies decoded as a whole.
 */

@inline
function four(word: u64, bits: u64, mask: u64, table: usize): v128 {
  let v = v128.load32_zero(table + (<usize>(word & mask) << 2));
  v = v128.load32_lane(table + (<usize>((word >> bits) & mask) << 2), v, 1);
  v = v128.load32_lane(table + (<usize>((word >> (bits * 2)) & mask) << 2), v, 2);
  return v128.load32_lane(table + (<usize>((word >> (bits * 3)) & mask) << 2), v, 3);
}

/** See the head. `table` holds 2^bits floats, `zeros` and `scales` 8 each. */
export function decode(
  indices: usize, bits: i32, table: usize, zeros: usize, scales: usize, dst: usize, count: i32,
): void {
  const z = v128.load(zeros), y = v128.load(zeros, 16);
  const s = v128.load(scales), t = v128.load(scales, 16);
  const width: u64 = bits;
  const mask: u64 = ((<u64>1) << width) - 1;
  for (let k = 0; k < count; k++) {
    const word = load<u64>(indices);
    v128.store(dst, f32x4.mul(f32x4.sub(four(word, width, mask, table), z), s));
    v128.store(dst, f32x4.mul(f32x4.sub(four(word >> (width * 4), width, mask, table), y), t), 16);
    indices += bits;
    dst += 32;
  }
}
