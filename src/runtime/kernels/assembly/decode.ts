/**
 * Packed weights of 8 outputs from indices of 4 or 8 bits: `dst[k][j] = table[index[k][j]] * scales[j]`, j in 0..7. The indices of one k
 * fill `bits` bytes, the first output in the lowest bits. A layer is decoded block by block, right before `conv` uses the block, and
 * never lies decoded as a whole.
 */
import { fourOf8, lowerOf4, upperOf4 } from "./_codebook";

/** See the head. `table` holds 256 floats, or for 4 bits the `pairs` of 16; `scales` holds 8. */
export function decode(indices: usize, bits: i32, table: usize, scales: usize, dst: usize, count: i32): void {
  const s = v128.load(scales), t = v128.load(scales, 16);
  const end: usize = dst + count * 32;
  if (bits == 4) {
    for (; dst < end; dst += 32, indices += 4) {
      const word = load<u32>(indices);
      v128.store(dst, f32x4.mul(lowerOf4(word, table), s));
      v128.store(dst, f32x4.mul(upperOf4(word, table), t), 16);
    }
    return;
  }
  for (; dst < end; dst += 32, indices += 8) {
    v128.store(dst, f32x4.mul(fourOf8(indices, table), s));
    v128.store(dst, f32x4.mul(fourOf8(indices + 4, table), t), 16);
  }
}
