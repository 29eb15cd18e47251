/**
 * Canonical prefix codes (Huffman 1952; Schwartz, Kallick 1964): a code is its lengths, given out in ascending order of length, then of
 * symbol; the longest is 12 bits, so that one look into 4096 entries reads a symbol.
 * In a stream a code is nibbles, one length a symbol; 0 ("does not occur") is followed by how many more zeros there are, 0..15.
 * A code of one symbol has length 1 there and takes no bits.
 */
import { NetpareError } from "../tensor/error.ts";

/** The longest code, in bits. */
export const longestCode = 12;

/** A table over the next 12 bits: symbol << 4 | length. @throws NetpareError `bad-model` where the lengths are no prefix code. */
export function decodingTable(lengths: Uint8Array): Uint16Array {
  const table = new Uint16Array(1 << longestCode);
  let filled = 0;
  for (let length = 1; length <= longestCode; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      const end = filled + (1 << (longestCode - length));
      table.fill((symbol << 4) | length, filled, end);
      filled = end;
    }
  }
  if (filled === table.length / 2 && table[0] === table[filled - 1]) return table.fill(table[0]! & ~15);
  if (filled !== table.length) throw new NetpareError("bad-model", "huffman: the code lengths are no prefix code");
  return table;
}

/** Reads nibbles and prefix codes, the highest bit first; zeros past the end. */
export class CodeReader {
  private readonly bytes: Uint8Array;
  private position: number;
  private held = 0;
  private holds = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.position = start;
  }

  /** The next symbol under `table`. */
  symbol(table: Uint16Array): number {
    this.fill();
    const entry = table[(this.held >>> (this.holds - longestCode)) & 0xfff]!;
    this.holds -= entry & 15;
    return entry >> 4;
  }

  /** `count` code lengths. @throws NetpareError `bad-model` where there are more. */
  lengths(count: number): Uint8Array {
    const lengths = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      lengths[i] = this.nibble();
      if (lengths[i] === 0) i += this.nibble();
      if (i >= count || lengths[i]! > longestCode) throw new NetpareError("bad-model", "huffman: bad code lengths");
    }
    return lengths;
  }

  /** Whether all bytes have been read, and no more. */
  finished(): boolean {
    return this.position - (this.holds >> 3) === this.bytes.length;
  }

  private nibble(): number {
    this.fill();
    this.holds -= 4;
    return (this.held >>> this.holds) & 15;
  }

  private fill(): void {
    while (this.holds < 16) {
      this.held = (this.held << 8) | (this.bytes[this.position++] ?? 0);
      this.holds += 8;
    }
  }
}
