/**
 * Rows of weights, binary32 or with `half` binary16, as columns of a block of 8: `dst[k][r] = src[r][k]`, rows at most 8.
 * A binary16 is its bits 13 to the left, as binary32, times 2^112, which is exact for its subnormals too; what ends up beyond the largest
 * was infinite or no number.
 */

/** See the head. */
export function pack(src: usize, dst: usize, rows: i32, count: i32, half: i32): void {
  for (let r = 0; r < rows; r++, dst += 4) {
    let at = dst;
    const end: usize = dst + count * 32;
    if (half == 0) for (; at < end; at += 32, src += 4) store<i32>(at, load<i32>(src));
    else
      for (; at < end; at += 32, src += 2) {
        const bits: i32 = load<u16>(src);
        let word = reinterpret<i32>(reinterpret<f32>((bits & 0x7fff) << 13) * reinterpret<f32>(239 << 23));
        if ((bits & 0x7c00) == 0x7c00) word |= 0x7f800000 | ((bits & 0x3ff) << 13);
        store<i32>(at, word | ((bits & 0x8000) << 16));
      }
  }
}
