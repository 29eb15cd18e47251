/**
 * Reads the symbols of a compressed tensor (codebook indices, small integers, signs) from a binary arithmetic code under contexts of
 * the symbols before, as DeepCABAC does (Wiedemann et al. 2019, arXiv:1907.11900); _symbol-stream.ts says how a symbol is cut into bits.
 * Instead of sign, magnitude and exponent bins there is one tree: codebooks are small, and their values seldom symmetric.
 * Limits: whatever the bytes are, `count` symbols below `alphabet` come out or an error; `count` is the caller's to bound.
 */
import { NetpareError } from "../tensor/error.ts";
import { createBitModels, windows } from "./_bit-models.ts";
import { checkAlphabet } from "./_check-symbols.ts";
import {
  headerBytes,
  Neighbours,
  rootModels,
  type SymbolStreamShape,
  treeModels,
  treeOf,
  unpackCoding,
} from "./_symbol-stream.ts";
import { RangeDecoder } from "./range-decoder.ts";

export type { SymbolStreamShape } from "./_symbol-stream.ts";

/**
 * The `count` symbols that `encodeSymbols` wrote into `bytes` with the same `shape`.
 * @throws NetpareError `bad-model` where the alphabet is not 1..256, a symbol is not of it, or the stream is longer or shorter than its symbols.
 */
export function decodeSymbols(bytes: Uint8Array, count: number, shape: SymbolStreamShape): Uint8Array {
  const { alphabet } = shape;
  checkAlphabet(alphabet, "bad-model");
  const symbols = new Uint8Array(count);
  if (count === 0 || alphabet === 1) {
    if (bytes.length > 0) throw new NetpareError("bad-model", "symbols: bytes where none are needed");
    return symbols;
  }
  const coding = unpackCoding(bytes);
  const { depth, coded, pad } = treeOf(alphabet, coding.rawBits);
  const limit = windows[coding.window]!;
  const models = createBitModels(treeModels + (1 << coded));
  const decoder = new RangeDecoder(bytes, headerBytes);
  const neighbours = new Neighbours(symbols, shape, coding);
  for (let i = 0; i < count; i++) {
    let symbol = decoder.bit(models, neighbours.flag(i), limit);
    if (symbol === 1 && depth > 0) {
      let node = 1;
      if (coded > 0) {
        node = 2 | decoder.bit(models, rootModels + neighbours.root(i), limit);
        node = decoder.descend(models, treeModels, node, coded - 1, limit);
      }
      if (coded < depth) node = (node << (depth - coded)) | decoder.raw(depth - coded);
      symbol = node - (1 << depth) - pad + 1;
      if (symbol < 1 || symbol >= alphabet) {
        throw new NetpareError("bad-model", `symbols: ${symbol} is not in 1..${alphabet - 1}`);
      }
    }
    symbols[i] = symbol;
    neighbours.pass(symbol);
  }
  if (!decoder.finished()) throw new NetpareError("bad-model", "symbols: the stream does not end with its last symbol");
  return symbols;
}
