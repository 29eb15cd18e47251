/**
 * The ideal length of an adaptive code: what its models expect, Σ -log₂ p(bit), without what an arithmetic coder adds by finite
 * precision, its header and its end.
 */
import { adapt, probabilityBits, zeroShare } from "./_bit-models.ts";

/** Counts bits in the place of a `RangeEncoder` that writes them. */
export class BitCounter {
  bits = 0;

  /** Counts `bit` under `models[index]`, which learns it. */
  bit(models: Int32Array, index: number, bit: number, limit: number): void {
    const state = models[index]!;
    const zero = zeroShare(state) / (1 << probabilityBits);
    this.bits -= Math.log2(bit === 0 ? zero : 1 - zero);
    models[index] = adapt(state, bit, limit);
  }

  /** Counts `count` bits that no model expects. */
  raw(_value: number, count: number): void {
    this.bits += count;
  }
}
