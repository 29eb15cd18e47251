/** IEEE 754 binary16 and bfloat16 to and from doubles, rounding to nearest even. */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The value of binary16 bits. */
export function fromFloat16(bits: number): number {
  const magnitude = bits & 0x7fff;
  // 5 bits of exponent where 8 are, 112 below; infinities and NaNs are at the end of either.
  u32[0] = ((bits & 0x8000) << 16) | ((magnitude << 13) + (magnitude < 0x7c00 ? 112 << 23 : 224 << 23));
  if (magnitude >= 0x400) return f32[0]!;
  return (bits & 0x8000 ? -1 : 1) * magnitude * 2 ** -24;
}

/** The values of little-endian binary16 bytes. */
export function fromFloat16Bytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const words = new Int32Array(bytes.length / 2);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < words.length; i++) {
    const bits = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
    const exponent = bits & 0x7c00;
    if (exponent !== 0 && exponent !== 0x7c00)
      words[i] = ((bits & 0x8000) << 16) | (((bits & 0x7fff) << 13) + (112 << 23));
    else if (bits !== 0) floats[i] = fromFloat16(bits);
  }
  return floats;
}

/** The binary16 bits nearest to `value`. */
export function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(magnitude || 2 ** -30)), -14);
  const scaled = roundHalfEven(magnitude * 2 ** (10 - exponent));
  // A subnormal has no implicit one; a carry into the next binade falls out of the addition.
  return sign | (((exponent + 14) << 10) + scaled);
}

/** The value of bfloat16 bits. */
export function fromBfloat16(bits: number): number {
  u32[0] = bits << 16;
  return f32[0]!;
}

/** The bfloat16 bits nearest to `value`. */
export function toBfloat16(value: number): number {
  f32[0] = value;
  const bits = u32[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** `x` rounded to the nearest integer, halves to even, as ONNX rounds. */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
