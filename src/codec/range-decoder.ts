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
    this.code = Math.min(((at(0) & 63) << 24) | (at(1) << 16) | (at(2) << 8) | at(3), this.range - 1);
    this.position = start + 4;
  }

  /** The next bit under `models[index]`, which learns it. */
  bit(models: Int32Array, index: number, limit: number): number {
    const state = models[index]!;
    let range = this.range;
    const bound = Math.imul(range >>> probabilityBits, zeroShare(state));
    let bit = 0;
    if (this.code < bound) range = bound;
    else {
      this.code -= bound;
      range -= bound;
      bit = 1;
    }
    models[index] = adapt(state, bit, limit);
    this.range = range;
    while (this.range < 0x400000) this.shift();
    return bit;
  }

  /**
   * The next `levels` bits, each under the model `base + node` of the node that the bits before it lead to from `node`; returns the
   * last node. Bits of a tree are hard to foresee, for a processor too: so there is a mask where `bit` has a branch.
   */
  descend(models: Int32Array, base: number, node: number, levels: number, limit: number): number {
    let range = this.range;
    let code = this.code;
    let at = node;
    for (let level = 0; level < levels; level++) {
      const state = models[base + at]!;
      const bound = Math.imul(range >>> probabilityBits, zeroShare(state));
      const one = (bound - 1 - code) >> 31;
      range = bound + (one & (range - 2 * bound));
      code -= one & bound;
      models[base + at] = adapt(state, -one, limit);
      at = 2 * at - one;
      while (range < 0x400000) {
        range <<= 8;
        code = (code << 8) | (this.position < this.bytes.length ? this.bytes[this.position]! : 0);
        this.position++;
      }
    }
    this.range = range;
    this.code = code;
    return at;
  }

  /** The next `count` bits (at most 8), each as likely 0 as 1, as a number. */
  raw(count: number): number {
    this.range >>>= count;
    const value = Math.min((this.code / this.range) | 0, (1 << count) - 1);
    this.code = Math.min(this.code - value * this.range, this.range - 1);
    while (this.range < 0x400000) this.shift();
    return value;
  }

  /** Whether the stream ended where its last bit was read, neither before nor later. */
  finished(): boolean {
    return this.position === this.bytes.length + 2;
  }

  private shift(): void {
    this.range <<= 8;
    this.code = (this.code << 8) | (this.position < this.bytes.length ? this.bytes[this.position]! : 0);
    this.position++;
  }
}
