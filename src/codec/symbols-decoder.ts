/**
 * Reads the symbols of a compressed tensor (codebook indices, small integers, signs) from a binary arithmetic code under contexts of
 * the symbols before, as DeepCABAC does (Wiedemann et al. 2019, arXiv:1907.11900); _symbol-stream.ts says how a symbol is cut into bits.
 * Instead of sign, magnitude and exponent bins there is one tree: codebooks are small, and their values seldom symmetric.
 * Limits: whatever the bytes are, `count` symbols below `alphabet` come out or an error; `count` is the caller's to bound.
 */
import { NetpareError } from "../tensor/error.ts";
import { createBitModels, windows } from "./_bit-models.ts";
import {
  flagContexts,
  headerBytes,
  Neighbours,
  rootContexts,
  type SymbolStreamShape,
  treeDepth,
  unpackCoding,
} from "./_symbol-stream.ts";
import { RangeDecoder } from "./range-decoder.ts";

export type { SymbolStreamShape } from "./_symbol-stream.ts";

/**
 * The `count` symbols that `encodeSymbols` wrote into `bytes` with the same `shape`.
 * @throws NetpareError `bad-model` where a symbol is not of the alphabet, or the stream is longer or shorter than its symbols.
 */
export function decodeSymbols(bytes: Uint8Array, count: number, shape: SymbolStreamShape): Uint8Array {
  const symbols = new Uint8Array(count);
  const { alphabet, row } = shape;
  if (count === 0 || alphabet === 1) {
    if (bytes.length > 0) throw new NetpareError("bad-model", "symbols: bytes where none are needed");
    return symbols;
  }
  const coding = unpackCoding(bytes);
  const { distance, signs } = coding;
  const limit = windows[coding.window]!;
  const depth = treeDepth(alphabet);
  const coded = Math.max(depth - coding.rawBits, 0);
  const rawBits = depth - coded;
  const middle = 1 << (depth - 1);
  const pad = ((1 << depth) - (alphabet - 1)) >> 1;
  const models = createBitModels(flagContexts + rootContexts + (1 << coded));
  const decoder = new RangeDecoder(bytes, headerBytes);
  const neighbours = new Neighbours(symbols, row, coding);
  const side = (symbol: number) => (symbol === 0 ? 0 : symbol - 1 + pad < middle ? 1 : 2);
  let last = 0;
  for (let i = 0; i < count; i++) {
    let symbol = decoder.bit(models, neighbours.flag(i), limit);
    if (symbol === 1 && depth > 0) {
      let node = 1;
      if (coded > 0) {
        const context = signs ? side(last) * 3 + (i >= distance ? side(symbols[i - distance]!) : 0) : 0;
        node = 2 | decoder.bit(models, flagContexts + context, limit);
        for (let level = 1; level < coded; level++) {
          node = (node << 1) | decoder.bit(models, flagContexts + rootContexts + node, limit);
        }
      }
      if (rawBits > 0) node = (node << rawBits) | decoder.raw(rawBits);
      symbol = node - (1 << depth) - pad + 1;
      if (symbol < 1 || symbol >= alphabet) {
        throw new NetpareError("bad-model", `symbols: ${symbol} is not in 1..${alphabet - 1}`);
      }
    }
    symbols[i] = symbol;
    last = symbol;
    neighbours.pass(symbol);
  }
  if (!decoder.finished()) throw new NetpareError("bad-model", "symbols: the stream does not end with its last symbol");
  return symbols;
}
