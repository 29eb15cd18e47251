/**
 * The writing half of the binary range coder (Martin 1979; see range-decoder.ts): a stream is one long binary number in
 * [low, low + range), and every bit narrows that interval. `low` is a 32-bit window of it; a carry out of the window goes back
 * through the bytes written, which are all in memory, instead of waiting in a counter as in LZMA. Two bytes end the stream: range is at
 * least 2²² then, so that some number with 16 zeros behind them lies in the interval.
 */
import { adapt, probabilityBits, zeroShare } from "./_bit-models.ts";

/** Writes bits, each under an adaptive model, for a `RangeDecoder` to read. */
export class RangeEncoder {
  private range = 0x3fffffff;
  private low = 0;
  private bytes = new Uint8Array(256);
  private length = 0;

  /** Writes `bit` under `models[index]`, which learns it. */
  bit(models: Int32Array, index: number, bit: number, limit: number): void {
    const state = models[index]!;
    const bound = Math.imul(this.range >>> probabilityBits, zeroShare(state));
    if (bit === 0) this.range = bound;
    else {
      this.low += bound;
      this.range -= bound;
    }
    models[index] = adapt(state, bit, limit);
    this.normalize();
  }

  /** Writes the low `count` bits (at most 8) of `value`, a bit each. */
  raw(value: number, count: number): void {
    this.range >>>= count;
    this.low += value * this.range;
    this.normalize();
  }

  /** Ends the stream and returns it, after `header`. */
  finish(header: readonly number[] = []): Uint8Array {
    this.low += 0xffff;
    this.carry();
    this.push(this.low >>> 24);
    this.push((this.low >>> 16) & 255);
    const whole = new Uint8Array(header.length + this.length);
    whole.set(header);
    whole.set(this.bytes.subarray(0, this.length), header.length);
    return whole;
  }

  private normalize(): void {
    this.carry();
    while (this.range < 0x400000) {
      this.push(this.low >>> 24);
      this.low = (this.low << 8) >>> 0;
      this.range <<= 8;
    }
  }

  private carry(): void {
    if (this.low < 2 ** 32) return;
    this.low -= 2 ** 32;
    let i = this.length - 1;
    while (this.bytes[i] === 255) this.bytes[i--] = 0;
    this.bytes[i]!++;
  }

  private push(byte: number): void {
    if (this.length === this.bytes.length) {
      const grown = new Uint8Array(2 * this.length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length++] = byte;
  }
}
