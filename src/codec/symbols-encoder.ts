/**
 * Writes the symbols of a compressed tensor in the binary arithmetic code that symbols-decoder.ts describes.
 * Which contexts, which window of the models, how many raw levels: each is tried in turn, the others held, and the shortest stream kept.
 * (What did not pay on trained networks, and is not there: contexts of the neighbours' magnitudes for the tree.)
 */
import { createBitModels, windows } from "./_bit-models.ts";
import { checkSymbols } from "./_check-symbols.ts";
import {
  flagContexts,
  Neighbours,
  packCoding,
  rootContexts,
  type SymbolCoding,
  type SymbolStreamShape,
  treeDepth,
} from "./_symbol-stream.ts";
import { RangeEncoder } from "./range-encoder.ts";

const first: SymbolCoding = { contexts: 1, signs: true, window: 4, rawBits: 0, distance: 3 };

/** What is tried, in this order; all of a line on top of the best so far. */
const trials: readonly (readonly Partial<SymbolCoding>[])[] = [
  [{ distance: 2 }, { distance: 9 }, { distance: 5 }, { distance: 25 }],
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
  let shortest = encodeWith(symbols, shape, best);
  for (const line of trials) {
    const base = best;
    for (const change of line) {
      const coding = { ...base, ...change };
      const bytes = encodeWith(symbols, shape, coding);
      if (bytes.length >= shortest.length) continue;
      shortest = bytes;
      best = coding;
    }
  }
  return shortest;
}

function encodeWith(symbols: Uint8Array, { alphabet, row }: SymbolStreamShape, coding: SymbolCoding): Uint8Array {
  const { distance, signs } = coding;
  const limit = windows[coding.window]!;
  const depth = treeDepth(alphabet);
  const coded = Math.max(depth - coding.rawBits, 0);
  const rawBits = depth - coded;
  const middle = 1 << (depth - 1);
  const pad = ((1 << depth) - (alphabet - 1)) >> 1;
  const models = createBitModels(flagContexts + rootContexts + (1 << coded));
  const encoder = new RangeEncoder();
  const neighbours = new Neighbours(symbols, row, coding);
  const side = (symbol: number) => (symbol === 0 ? 0 : symbol - 1 + pad < middle ? 1 : 2);
  let last = 0;
  for (let i = 0; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    encoder.bit(models, neighbours.flag(i), symbol === 0 ? 0 : 1, limit);
    if (symbol !== 0 && depth > 0) {
      const value = symbol - 1 + pad;
      for (let level = 0; level < coded; level++) {
        const node = (1 << level) | (value >> (depth - level));
        const context = signs ? side(last) * 3 + (i >= distance ? side(symbols[i - distance]!) : 0) : 0;
        const model = level === 0 ? flagContexts + context : flagContexts + rootContexts + node;
        encoder.bit(models, model, (value >> (depth - 1 - level)) & 1, limit);
      }
      if (rawBits > 0) encoder.raw(value & ((1 << rawBits) - 1), rawBits);
    }
    neighbours.pass(symbol);
    last = symbol;
  }
  return encoder.finish(packCoding(coding));
}
