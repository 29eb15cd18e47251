/**
 * Symbols of k bits each, one after another, the lowest bit first: for streams that no coder makes smaller, and for masks and signs
 * that a kernel reads as they are.
 */
import { NetpareError } from "../tensor/error.ts";
import { checkAlphabet, checkSymbols } from "./_check-symbols.ts";

/**
 * `symbols`, each below 2^bits (bits in 1..8), in ⌈N · bits / 8⌉ bytes.
 * @throws NetpareError `bad-option` where a symbol is not below 2^bits.
 */
export function packBits(symbols: Uint8Array, bits: number): Uint8Array {
  checkSymbols(symbols, 2 ** bits);
  const bytes = new Uint8Array(Math.ceil((symbols.length * bits) / 8));
  let at = 0;
  for (const symbol of symbols) {
    const shifted = symbol << (at & 7);
    bytes[at >>> 3]! |= shifted;
    if (shifted > 255) bytes[(at >>> 3) + 1]! |= shifted >>> 8;
    at += bits;
  }
  return bytes;
}

/**
 * The `count` symbols of `bits` bits each (1..8) that `bytes` hold.
 * @throws NetpareError `bad-model` where `bits` is not 1..8, `bytes` are not as long as they say, or the bits behind the last symbol are not 0.
 */
export function unpackBits(bytes: Uint8Array, count: number, bits: number): Uint8Array {
  checkAlphabet(2 ** bits, "bad-model");
  const length = Math.ceil((count * bits) / 8);
  if (bytes.length !== length) {
    throw new NetpareError("bad-model", `packed bits: expected ${length} bytes, found ${bytes.length}`);
  }
  const symbols = new Uint8Array(count);
  const mask = (1 << bits) - 1;
  let held = 0;
  let holds = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (holds < bits) {
      held |= bytes[at++]! << holds;
      holds += 8;
    }
    symbols[i] = held & mask;
    held >>>= bits;
    holds -= bits;
  }
  if (held !== 0) throw new NetpareError("bad-model", "packed bits: the bits behind the last symbol are not 0");
  return symbols;
}

/** The `count` symbols below `alphabet` that `bytes` hold, each in as many bits as the largest takes. */
export function unpackSymbols(bytes: Uint8Array, count: number, alphabet: number): Uint8Array {
  return unpackBits(bytes, count, Math.max(1, 32 - Math.clz32(alphabet - 1)));
}
