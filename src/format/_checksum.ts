/**
 * XXH32 of seed 0 (Collet 2012, xxHash's specification): four lanes of 32-bit words, because a file is read before engines have compiled
 * anything, and a table of CRC-32 takes three times as long then. Signed throughout: engines keep int32 in registers, and box larger
 * numbers while code is cold.
 */
import { viewBytes } from "../tensor/dtype.ts";

const [prime1, prime2, prime3, prime4, prime5] = [
  0x9e3779b1 | 0,
  0x85ebca77 | 0,
  0xc2b2ae3d | 0,
  0x27d4eb2f,
  0x165667b1,
] as const;

const { imul } = Math;
const turn = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));

/** The checksum of `bytes`, as an unsigned 32-bit integer; not copied where they begin at a multiple of 4. */
export function checksum(bytes: Uint8Array): number {
  const words = viewBytes("int32", bytes.subarray(0, bytes.length & ~3));
  let [a, b, c, d] = [(prime1 + prime2) | 0, prime2, 0, -prime1 | 0] as [number, number, number, number];
  let i = 0;
  for (; i + 4 <= words.length; i += 4) {
    a = (a + imul(words[i]!, prime2)) | 0;
    a = imul((a << 13) | (a >>> 19), prime1);
    b = (b + imul(words[i + 1]!, prime2)) | 0;
    b = imul((b << 13) | (b >>> 19), prime1);
    c = (c + imul(words[i + 2]!, prime2)) | 0;
    c = imul((c << 13) | (c >>> 19), prime1);
    d = (d + imul(words[i + 3]!, prime2)) | 0;
    d = imul((d << 13) | (d >>> 19), prime1);
  }
  let sum = (i > 0 ? turn(a, 1) + turn(b, 7) + turn(c, 12) + turn(d, 18) : prime5) + bytes.length;
  for (; i < words.length; i++) sum = imul(turn((sum + imul(words[i]!, prime3)) | 0, 17), prime4);
  for (i *= 4; i < bytes.length; i++) sum = imul(turn((sum + imul(bytes[i]!, prime5)) | 0, 11), prime1);
  sum = imul(sum ^ (sum >>> 15), prime2);
  sum = imul(sum ^ (sum >>> 13), prime3);
  return (sum ^ (sum >>> 16)) >>> 0;
}
