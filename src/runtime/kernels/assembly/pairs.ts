/** All pairs of 16 floats: `dst[i] = (table[i & 15], table[i >> 4])`, 2 KB, in which a byte looks two indices of 4 bits up at once. */

/** See the head. */
export function pairs(table: usize, dst: usize): void {
  const a = v128.load(table), b = v128.load(table, 16), c = v128.load(table, 32), d = v128.load(table, 48);
  for (const end: usize = dst + 2048; dst < end; dst += 128, table += 4) {
    const t = v128.load32_splat(table);
    v128.store(dst, i32x4.shuffle(a, t, 0, 4, 1, 5));
    v128.store(dst, i32x4.shuffle(a, t, 2, 6, 3, 7), 16);
    v128.store(dst, i32x4.shuffle(b, t, 0, 4, 1, 5), 32);
    v128.store(dst, i32x4.shuffle(b, t, 2, 6, 3, 7), 48);
    v128.store(dst, i32x4.shuffle(c, t, 0, 4, 1, 5), 64);
    v128.store(dst, i32x4.shuffle(c, t, 2, 6, 3, 7), 80);
    v128.store(dst, i32x4.shuffle(d, t, 0, 4, 1, 5), 96);
    v128.store(dst, i32x4.shuffle(d, t, 2, 6, 3, 7), 112);
  }
}
