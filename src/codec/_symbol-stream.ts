/**
 * What the writer and the reader of a symbol stream share: its header of two bytes, and the contexts that both derive from the symbols
 * before. Symbol s is a flag "not 0", then, where it is set, s - 1 + pad in a binary tree whose root so splits the values in their middle:
 * for values in ascending order that is the sign. The last `rawBits` levels may be sent as they are.
 * Contexts of the flag: the symbols 1 and `width` back (left and above in a kernel of that width), the density of the last 16, that of the
 * same place in the last 8 rows, and whether the place is on the kernel's left or upper edge, where those two belong to another kernel.
 * Contexts of the root: the signs of those two, and the edges.
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
  /** How far back the second neighbour stands: the width of a square kernel, 1..127. */
  readonly width: number;
  /** Whether the kernel's edges are contexts. */
  readonly edges: boolean;
}

/** Bytes of a header. */
export const headerBytes = 2;

/** A coding as the header of its stream. */
export function packCoding({ contexts, signs, window, rawBits, width, edges }: SymbolCoding): number[] {
  return [contexts | (signs ? 4 : 0) | (window << 3) | (rawBits << 6), width | (edges ? 128 : 0)];
}

/** The coding that the header of `bytes` holds. */
export function unpackCoding(bytes: Uint8Array): SymbolCoding {
  const [first = 0, second = 0] = bytes;
  return {
    contexts: first & 3,
    signs: (first & 4) !== 0,
    window: (first >> 3) & 7,
    rawBits: first >> 6,
    width: second & 127,
    edges: second > 127,
  };
}

/** The tree over the symbols 1..alphabet-1: its levels, how many of them are modelled, and what is added to s - 1. */
export function treeOf(alphabet: number, rawBits: number) {
  const depth = alphabet < 3 ? 0 : 32 - Math.clz32(alphabet - 2);
  return { depth, coded: Math.max(depth - rawBits, 0), pad: ((1 << depth) - (alphabet - 1)) >> 1 };
}

/** Where the models of the root begin, behind those of the flag. */
export const rootModels = 1024;

/** Where the models of the nodes below begin, less 1. */
export const treeModels = rootModels + 36;

/** The symbols before the one at hand, as contexts see them. */
export class Neighbours {
  private readonly symbols: Uint8Array;
  private readonly width: number;
  private readonly flagMask: number;
  private readonly signs: boolean;
  private readonly half: number;
  private readonly edges: Uint8Array;
  private readonly columns: Uint16Array;
  private density = 400;
  private column = 0;
  private place = 0;
  private last = 0;

  constructor(symbols: Uint8Array, { alphabet, row }: SymbolStreamShape, coding: SymbolCoding) {
    const { contexts, signs, width, edges } = coding;
    const { depth, pad } = treeOf(alphabet, 0);
    this.symbols = symbols;
    this.width = width;
    this.flagMask = [0, 3, 31, 255][contexts]!;
    this.signs = signs;
    this.half = (1 << depth) / 2 - pad;
    this.edges = new Uint8Array(edges ? width * width || 1 : 1);
    for (let i = 0; edges && i < width; i++) {
      this.edges[i]! |= 2;
      this.edges[i * width]! |= 1;
    }
    this.columns = new Uint16Array(contexts === 3 ? Math.min(row, symbols.length) : 1).fill(400);
  }

  /** The context of the flag of symbol `i`. */
  flag(i: number): number {
    const near = (this.last === 0 ? 0 : 1) | (this.above(i) === 0 ? 0 : 2);
    const densities = (level(this.density) << 2) | (level(this.columns[this.column]!) << 5);
    return ((near | densities) & this.flagMask) | (this.edges[this.place]! << 8);
  }

  /** The context of the root of symbol `i`'s tree. */
  root(i: number): number {
    return this.edges[this.place]! * 9 + (this.signs ? this.side(this.last) * 3 + this.side(this.above(i)) : 0);
  }

  /** Goes on behind `symbol`. */
  pass(symbol: number): void {
    const seen = symbol === 0 ? 0 : 4096;
    this.last = symbol;
    this.density += (seen - this.density) >> 4;
    if (this.columns.length > 1) this.columns[this.column]! += (seen - this.columns[this.column]!) >> 3;
    if (++this.column === this.columns.length) this.column = 0;
    if (++this.place === this.edges.length) this.place = 0;
  }

  private above(i: number): number {
    return i < this.width ? 0 : this.symbols[i - this.width]!;
  }

  private side(symbol: number): number {
    return symbol === 0 ? 0 : symbol <= this.half ? 1 : 2;
  }
}

/** A density of 0..4096 in one of 8 steps, each double the one before. */
function level(density: number): number {
  return 32 - Math.clz32(density >> 5);
}
