/**
 * CRC-32 as in zlib (polynomial 0xEDB88320, reflected), four bytes at a time (Kounavis and Berry 2005). Signed throughout: engines keep
 * int32 in registers, and box larger numbers while code is cold.
 */

/** Row k: what a byte does to the checksum k bytes later. */
const table = new Int32Array(1024);
for (let n = 0; n < 1024; n++) {
  let c = n < 256 ? n : table[n - 256]!;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  table[n] = c;
}

/** The checksum of `bytes`, as an unsigned 32-bit integer. */
export function checksum(bytes: Uint8Array): number {
  const whole = bytes.length & ~3;
  let c = -1;
  for (let i = 0; i < whole; i += 4) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c = table[768 + (c & 255)]! ^ table[512 + ((c >>> 8) & 255)]! ^ table[256 + ((c >>> 16) & 255)]! ^ table[c >>> 24]!;
  }
  for (let i = whole; i < bytes.length; i++) c = table[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}
