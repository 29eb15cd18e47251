/**
 * Writes symbols in static Huffman codes of at most 12 bits, in the plain form or in Deep Compression's, whichever is shorter (see
 * huffman-decoder.ts). Lengths come from package-merge (Larmore, Hirschberg 1990): for each of 12 levels, the symbols and the pairs of
 * the level below are merged in order of weight; a symbol's length is how often it is among the 2n-2 lightest of the last level.
 */
import { checkSymbols } from "./_check-symbols.ts";
import { longestCode } from "./_huffman-code.ts";

/** The bits of a gap, and whether there are gaps at all. */
export interface HuffmanForm {
  /** 1..8, or 0 for the plain form; all are tried where it is not given. */
  readonly gapBits?: number;
}

/**
 * `symbols` below `alphabet` (1..256) in static prefix codes.
 * @throws NetpareError `bad-option` where a symbol is not below `alphabet`.
 */
export function encodeHuffman(symbols: Uint8Array, alphabet: number, form: HuffmanForm = {}): Uint8Array {
  checkSymbols(symbols, alphabet);
  if (symbols.length === 0) return new Uint8Array(0);
  const forms = form.gapBits === undefined ? [0, 3, 4, 5, 6, 7, 8] : [form.gapBits];
  return forms.map((gapBits) => write(symbols, alphabet, gapBits)).reduce((a, b) => (b.length < a.length ? b : a));
}

function write(symbols: Uint8Array, alphabet: number, gapBits: number): Uint8Array {
  const writer = createWriter(gapBits);
  if (gapBits === 0) {
    const code = writer.code(symbols, alphabet);
    for (const symbol of symbols) writer.put(code, symbol);
  } else {
    const { gaps, values } = splitGaps(symbols, 1 << gapBits);
    const valueCode = writer.code(values, alphabet);
    const gapCode = writer.code(gaps, 1 << gapBits);
    for (let i = 0; i < gaps.length; i++) {
      writer.put(gapCode, gaps[i]!);
      writer.put(valueCode, values[i]!);
    }
  }
  return writer.finish();
}

/** Zeros before each value, below `limit`, and the values; a value 0 fills a longer gap, or ends the stream. */
function splitGaps(symbols: Uint8Array, limit: number): { gaps: Uint8Array; values: Uint8Array } {
  const gaps = new Uint8Array(symbols.length);
  const values = new Uint8Array(symbols.length);
  let pairs = 0;
  let gap = 0;
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === 0 && gap < limit - 1 && i < symbols.length - 1) {
      gap++;
      continue;
    }
    gaps[pairs] = gap;
    values[pairs++] = symbols[i]!;
    gap = 0;
  }
  return { gaps: gaps.subarray(0, pairs), values: values.subarray(0, pairs) };
}

interface PrefixCode {
  readonly lengths: Uint8Array;
  readonly words: Uint16Array;
}

function createWriter(header: number) {
  const bytes: number[] = [header];
  let held = 0;
  let holds = 0;
  const put = (value: number, bits: number) => {
    held = (held << bits) | value;
    holds += bits;
    while (holds >= 8) {
      holds -= 8;
      bytes.push((held >>> holds) & 255);
    }
  };
  return {
    /** Makes the code for `symbols` and writes it. */
    code(symbols: Uint8Array, alphabet: number): PrefixCode {
      const code = canonicalCode(codeLengths(symbols, alphabet));
      for (let i = 0; i < alphabet; i++) {
        put(code.lengths[i]!, 4);
        if (code.lengths[i] !== 0) continue;
        let more = 0;
        while (more < 15 && i + 1 < alphabet && code.lengths[i + 1] === 0) {
          more++;
          i++;
        }
        put(more, 4);
      }
      const used = code.lengths.reduce((n, length) => n + (length > 0 ? 1 : 0), 0);
      return used === 1 ? { words: code.words, lengths: new Uint8Array(alphabet) } : code;
    },
    put: (code: PrefixCode, symbol: number) => put(code.words[symbol]!, code.lengths[symbol]!),
    finish(): Uint8Array {
      if (holds > 0) put(0, 8 - holds);
      return Uint8Array.from(bytes);
    },
  };
}

function canonicalCode(lengths: Uint8Array): PrefixCode {
  const words = new Uint16Array(lengths.length);
  let next = 0;
  for (let length = 1; length <= longestCode; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) words[symbol] = next++;
    next <<= 1;
  }
  return { lengths, words };
}

/** The lengths (0 where a symbol does not occur) of the best prefix code whose longest is 12 bits. */
function codeLengths(symbols: Uint8Array, alphabet: number): Uint8Array {
  const counts = new Float64Array(alphabet);
  for (const symbol of symbols) counts[symbol]!++;
  const lengths = new Uint8Array(alphabet);
  const leaves = [...counts.keys()]
    .filter((symbol) => counts[symbol]! > 0)
    .map((symbol) => ({ weight: counts[symbol]!, symbols: [symbol] }))
    .sort((a, b) => a.weight - b.weight);
  if (leaves.length === 1) {
    lengths[leaves[0]!.symbols[0]!] = 1;
    return lengths;
  }
  let level = leaves;
  for (let bits = 1; bits < longestCode; bits++) {
    const pairs: typeof leaves = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      const [a, b] = [level[i]!, level[i + 1]!];
      pairs.push({ weight: a.weight + b.weight, symbols: a.symbols.concat(b.symbols) });
    }
    level = leaves.concat(pairs).sort((a, b) => a.weight - b.weight);
  }
  for (const item of level.slice(0, 2 * leaves.length - 2)) for (const symbol of item.symbols) lengths[symbol]!++;
  return lengths;
}
