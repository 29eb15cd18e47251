/**
 * Writes the symbols of a compressed tensor in the binary arithmetic code that symbols-decoder.ts describes.
 * Which contexts, which window of the models, how many raw levels: each is tried in turn, the others held, and the shortest stream kept.
 * (What did not pay on trained networks, and is not there: contexts of the neighbours' magnitudes for the tree.)
 */
import { createBitModels, windows } from "./_bit-models.ts";
import { checkSymbols } from "./_check-symbols.ts";
import {
  Neighbours,
  packCoding,
  rootModels,
  type SymbolCoding,
  type SymbolStreamShape,
  treeModels,
  treeOf,
  unpackCoding,
} from "./_symbol-stream.ts";
import { BitCounter } from "./code-length.ts";
import { RangeEncoder } from "./range-encoder.ts";

const first: SymbolCoding = { contexts: 1, signs: true, window: 4, rawBits: 0, width: 3, edges: true };

/** The share of a stream's length that a level less to decode is worth. */
const rawLevelWorth = 0.001;

/** What is tried, in this order; all of a line on top of the best so far. */
const trials: readonly (readonly Partial<SymbolCoding>[])[] = [
  [{ width: 5 }, { width: 7 }, { edges: false }, { width: 2, edges: false }, { width: 1, edges: false }],
  [{ signs: false }],
  [{ contexts: 0 }, { contexts: 2 }, { contexts: 3 }],
  [{ rawBits: 1 }, { rawBits: 2 }, { rawBits: 3 }],
  [{ window: 1 }, { window: 2 }, { window: 3 }, { window: 5 }, { window: 7 }],
];

/**
 * `symbols` in as few bytes as contexts make of them; none where nothing is to be said.
 * @throws NetpareError `bad-option` where a symbol is not below `shape.alphabet`.
 */
export function encodeSymbols(symbols: Uint8Array, shape: SymbolStreamShape): Uint8Array {
  const { alphabet } = shape;
  checkSymbols(symbols, alphabet);
  if (symbols.length === 0 || alphabet === 1) return new Uint8Array(0);
  let best = first;
  let kept = encodeWith(symbols, shape, best);
  let least = kept.length;
  for (const line of trials) {
    const base = best;
    for (const change of line) {
      const coding = { ...base, ...change };
      const bytes = encodeWith(symbols, shape, coding);
      const cost = bytes.length * (1 - rawLevelWorth * coding.rawBits);
      if (cost >= least) continue;
      best = coding;
      kept = bytes;
      least = cost;
    }
  }
  return kept;
}

/** The bits that the models of the stream `bytes`, which `encodeSymbols` made of `symbols`, expect these to take. */
export function idealBits(bytes: Uint8Array, symbols: Uint8Array, shape: SymbolStreamShape): number {
  if (bytes.length === 0) return 0;
  const counter = new BitCounter();
  writeSymbols(counter, symbols, shape, unpackCoding(bytes));
  return counter.bits;
}

function encodeWith(symbols: Uint8Array, shape: SymbolStreamShape, coding: SymbolCoding): Uint8Array {
  const encoder = new RangeEncoder();
  writeSymbols(encoder, symbols, shape, coding);
  return encoder.finish(packCoding(coding));
}

function writeSymbols(
  encoder: RangeEncoder | BitCounter,
  symbols: Uint8Array,
  shape: SymbolStreamShape,
  coding: SymbolCoding,
): void {
  const { depth, coded, pad } = treeOf(shape.alphabet, coding.rawBits);
  const limit = windows[coding.window]!;
  const models = createBitModels(treeModels + (1 << coded));
  const neighbours = new Neighbours(symbols, shape, coding);
  for (let i = 0; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    encoder.bit(models, neighbours.flag(i), symbol === 0 ? 0 : 1, limit);
    if (symbol !== 0 && depth > 0) {
      const value = symbol - 1 + pad;
      for (let level = 0; level < coded; level++) {
        const node = (1 << level) | (value >> (depth - level));
        const model = level === 0 ? rootModels + neighbours.root(i) : treeModels + node;
        encoder.bit(models, model, (value >> (depth - 1 - level)) & 1, limit);
      }
      if (coded < depth) encoder.raw(value & ((1 << (depth - coded)) - 1), depth - coded);
    }
    neighbours.pass(symbol);
  }
}
