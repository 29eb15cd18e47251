/** Writes what `read.ts` reads: bytes, integers of seven bits a byte, floats, lists. */

/** Bytes that grow. */
export class ByteWriter {
  private data = new Uint8Array(256);
  private used = 0;

  get length(): number {
    return this.used;
  }

  /** What was written. */
  result(): Uint8Array {
    return this.data.slice(0, this.used);
  }

  bytes(bytes: Uint8Array): void {
    if (this.used + bytes.length > this.data.length) {
      const grown = new Uint8Array(2 * (this.used + bytes.length));
      grown.set(this.data.subarray(0, this.used));
      this.data = grown;
    }
    this.data.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** An unsigned integer below 2^53. */
  size(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`internal: ${value} is no size`);
    const digits: number[] = [];
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) {
        digits.push(rest);
        break;
      }
      digits.push((rest % 128) + 128);
    }
    this.bytes(Uint8Array.from(digits));
  }

  /** A signed integer: 0, -1, 1, -2, … */
  integer(value: number): void {
    this.size(value < 0 ? -2 * value - 1 : 2 * value);
  }

  float(value: number): void {
    this.bytes(new Uint8Array(Float32Array.of(value).buffer));
  }

  list<T>(items: Iterable<T>, write: (item: T) => void): void {
    const all = [...items];
    this.size(all.length);
    for (const item of all) write(item);
  }
}
