/**
 * What the writer and the reader of a symbol stream share: its header of two bytes, and the contexts that both derive from the symbols
 * before. Symbol s is a flag "not 0", then, where it is set, s - 1 + pad in a binary tree whose root so splits the values in their middle:
 * for values in ascending order that is the sign. The last `rawBits` levels may be sent as they are.
 * Contexts of the flag: the symbols 1 and `distance` back (a neighbour in the kernel), the density of the last 16, and that of the same
 * place in the last 8 rows. Contexts of the root: the signs of those two neighbours.
 */

/** What a stream is about; writer and reader must be given the same. */
export interface SymbolStreamShape {
  /** How many symbols there are, 1..256: each is in 0..alphabet-1; 0 is the most frequent, the others ascend with their values. */
  readonly alphabet: number;
  /** The distance of the same place in the row above: elements of an output channel. At least 1. */
  readonly row: number;
}

/** How one stream is coded; its writer chooses. */
export interface SymbolCoding {
  /** Contexts of the flag: 0 none, 1 neighbours, 2 and density of the row, 3 and density of the column. */
  readonly contexts: number;
  /** Whether the tree's root is coded under its neighbours' signs. */
  readonly signs: boolean;
  /** The index of the models' window. */
  readonly window: number;
  /** How many levels of the tree are sent as they are, 0..3. */
  readonly rawBits: number;
  /** How far back the second neighbour stands, 1..255. */
  readonly distance: number;
}

/** Bytes of a header. */
export const headerBytes = 2;

/** A coding as the header of its stream. */
export function packCoding(coding: SymbolCoding): number[] {
  const { contexts, signs, window, rawBits, distance } = coding;
  return [contexts | (signs ? 4 : 0) | (window << 3) | (rawBits << 6), distance];
}

/** The coding that the header of `bytes` holds. */
export function unpackCoding(bytes: Uint8Array): SymbolCoding {
  const first = bytes[0] ?? 0;
  return {
    contexts: first & 3,
    signs: (first & 4) !== 0,
    window: (first >> 3) & 7,
    rawBits: first >> 6,
    distance: bytes[1] ?? 0,
  };
}

/** Levels of the tree over the symbols 1..alphabet-1. */
export function treeDepth(alphabet: number): number {
  return alphabet < 3 ? 0 : 32 - Math.clz32(alphabet - 2);
}

/** Contexts that a flag can have. */
export const flagContexts = 256;

/** Contexts that the tree's root can have. */
export const rootContexts = 9;

/** The symbols before the one at hand, as contexts see them. */
export class Neighbours {
  private readonly symbols: Uint8Array;
  private readonly distance: number;
  private readonly mask: number;
  private readonly columns: Uint16Array;
  private density = 400;
  private place = 0;
  private last = 0;

  constructor(symbols: Uint8Array, row: number, { contexts, distance }: SymbolCoding) {
    this.symbols = symbols;
    this.distance = distance;
    this.mask = [0, 3, 31, 255][contexts]!;
    this.columns = new Uint16Array(contexts === 3 ? Math.min(row, symbols.length) : 1).fill(400);
  }

  /** The context of the flag of symbol `i`. */
  flag(i: number): number {
    if (this.mask === 0) return 0;
    const near = (this.last === 0 ? 0 : 1) | (i >= this.distance && this.symbols[i - this.distance] !== 0 ? 2 : 0);
    return (near | (level(this.density) << 2) | (level(this.columns[this.place]!) << 5)) & this.mask;
  }

  /** Goes on behind `symbol`. */
  pass(symbol: number): void {
    const seen = symbol === 0 ? 0 : 4096;
    this.last = symbol;
    this.density += (seen - this.density) >> 4;
    this.columns[this.place]! += (seen - this.columns[this.place]!) >> 3;
    if (++this.place === this.columns.length) this.place = 0;
  }
}

/** A density of 0..4096 in one of 8 steps, each double the one before. */
function level(density: number): number {
  return 32 - Math.clz32(density >> 5);
}
