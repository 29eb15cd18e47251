/**
 * The reading half of the binary range coder (Martin 1979): the interval [0, range) is cut at `range · p(0)`, and `code`, where the
 * stream's number lies in it, says which part was meant. Bytes come in as in LZMA, but range stays below 2³⁰, so that everything is a
 * small integer to a JavaScript engine. The writer resolves carries, so that nothing is spent on them here.
 * Past its input it reads zeros; a whole stream has been read two bytes past its end exactly, which `finished` tells.
 */
import { adapt, probabilityBits, zeroShare } from "./_bit-models.ts";

/** Reads bits in the order in which a `RangeEncoder` wrote them. */
export class RangeDecoder {
  private range = 0x3fffffff;
  private code: number;
  private position: number;
  private readonly bytes: Uint8Array;

  /** Reads `bytes` from `start` on. */
  constructor(bytes: Uint8Array, start = 0) {
    const at = (i: number) => bytes[start + i] ?? 0;
    this.bytes = bytes;
    this.code = ((at(0) & 63) << 24) | (at(1) << 16) | (at(2) << 8) | at(3);
    this.position = start + 4;
  }

  /** The next bit under `models[index]`, which learns it. */
  bit(models: Int32Array, index: number, limit: number): number {
    const state = models[index]!;
    const bound = Math.imul(this.range >>> probabilityBits, zeroShare(state));
    let bit = 0;
    if (this.code < bound) this.range = bound;
    else {
      this.code -= bound;
      this.range -= bound;
      bit = 1;
    }
    models[index] = adapt(state, bit, limit);
    while (this.range < 0x400000) this.shift();
    return bit;
  }

  /** The next `count` bits (at most 8), each as likely 0 as 1, as a number. */
  raw(count: number): number {
    this.range >>>= count;
    const value = Math.min((this.code / this.range) | 0, (1 << count) - 1);
    this.code -= value * this.range;
    while (this.range < 0x400000) this.shift();
    return value;
  }

  /** Whether the stream ended where its last bit was read, neither before nor later. */
  finished(): boolean {
    return this.position === this.bytes.length + 2;
  }

  private shift(): void {
    this.range <<= 8;
    this.code = ((this.code << 8) & 0x3fffffff) | (this.position < this.bytes.length ? this.bytes[this.position]! : 0);
    this.position++;
  }
}
