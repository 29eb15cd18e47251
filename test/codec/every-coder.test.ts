/** What holds for every coder of symbols: an exact round trip, refusals that are typed, and nothing else for broken input. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHuffman } from "../../src/codec/huffman-decoder.ts";
import { encodeHuffman } from "../../src/codec/huffman-encoder.ts";
import { packBits, unpackBits } from "../../src/codec/packed-bits.ts";
import { decodeSymbols, type SymbolStreamShape } from "../../src/codec/symbols-decoder.ts";
import { encodeSymbols } from "../../src/codec/symbols-encoder.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { anyStream, clustered, mutate } from "./streams.ts";

interface Coder {
  readonly name: string;
  readonly encode: (symbols: Uint8Array, shape: SymbolStreamShape) => Uint8Array;
  readonly decode: (bytes: Uint8Array, count: number, shape: SymbolStreamShape) => Uint8Array;
}

const bitsOf = (alphabet: number) => Math.max(1, Math.ceil(Math.log2(alphabet)));

const coders: readonly Coder[] = [
  { name: "symbols", encode: encodeSymbols, decode: decodeSymbols },
  ...[undefined, 0, 1, 4, 8].map((gapBits) => ({
    name: `huffman, ${gapBits === undefined ? "best form" : gapBits === 0 ? "plain" : `gaps of ${gapBits} bits`}`,
    encode: (symbols: Uint8Array, { alphabet }: SymbolStreamShape) =>
      encodeHuffman(symbols, alphabet, gapBits === undefined ? {} : { gapBits }),
    decode: (bytes: Uint8Array, count: number, { alphabet }: SymbolStreamShape) =>
      decodeHuffman(bytes, count, alphabet),
  })),
  {
    name: "packed bits",
    encode: (symbols, { alphabet }) => packBits(symbols, bitsOf(alphabet)),
    decode: (bytes, count, { alphabet }) => unpackBits(bytes, count, bitsOf(alphabet)),
  },
];

/** Decodes; true where the bytes are refused. Anything but symbols of the alphabet or a NetpareError fails the test. */
function refuses(coder: Coder, bytes: Uint8Array, count: number, shape: SymbolStreamShape): boolean {
  try {
    const symbols = coder.decode(bytes, count, shape);
    expect(symbols.length).toBe(count);
    const largest = symbols.reduce((a, b) => Math.max(a, b), 0);
    expect(largest).toBeLessThan(coder.name === "packed bits" ? 2 ** bitsOf(shape.alphabet) : shape.alphabet);
    return false;
  } catch (error) {
    if (!(error instanceof NetpareError)) throw error;
    expect(error.code).toBe("bad-model");
    return true;
  }
}

describe.each(coders)("$name", (coder) => {
  it("gives back any symbols, whatever alphabet and row", () => {
    fc.assert(
      fc.property(anyStream, ({ symbols, ...shape }) => {
        expect(coder.decode(coder.encode(symbols, shape), symbols.length, shape)).toEqual(symbols);
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it("gives back the smallest and the most one-sided streams", () => {
    for (const alphabet of [1, 2, 3, 16, 255, 256]) {
      for (const count of [0, 1, 2, 3000]) {
        for (const symbol of new Set([0, 1, alphabet - 1])) {
          if (symbol >= alphabet) continue;
          const symbols = new Uint8Array(count).fill(symbol);
          const shape = { alphabet, row: 5 };
          expect(coder.decode(coder.encode(symbols, shape), count, shape)).toEqual(symbols);
        }
      }
    }
  });

  it("refuses to write a symbol that is not of the alphabet", () => {
    expect(() => coder.encode(Uint8Array.of(0, 1, 4, 2), { alphabet: 4, row: 2 })).toThrow(
      "symbols[2] is 4; expected symbols below 4",
    );
  });

  it("refuses an alphabet of none, and of more than 256", () => {
    for (const alphabet of [0, -1, 2 ** 20, 2 ** 31, Number.NaN]) {
      if (coder.name === "packed bits" && alphabet <= 0) continue;
      expect(refuses(coder, Uint8Array.of(1, 2, 3, 4), 5, { alphabet, row: 1 })).toBe(true);
    }
  });

  const shape = { alphabet: 16, row: 72 };
  const symbols = clustered(2000, shape.alphabet, shape.row, 2);
  const whole = coder.encode(symbols, shape);

  it("ends at every truncation with a refusal", () => {
    const accepted: number[] = [];
    for (let length = 0; length < whole.length; length++) {
      if (!refuses(coder, whole.subarray(0, length), symbols.length, shape)) accepted.push(length);
    }
    expect(accepted).toEqual([]);
  });

  it("refuses bytes behind its end", () => {
    expect(refuses(coder, Uint8Array.of(...whole, 0), symbols.length, shape)).toBe(true);
    expect(refuses(coder, Uint8Array.of(...whole, 7, 7), symbols.length, shape)).toBe(true);
  });

  it("ends 2,000 mutations with symbols or a refusal", () => {
    let refused = 0;
    for (let seed = 0; seed < 2000; seed++) {
      if (refuses(coder, mutate(whole, seed), symbols.length, shape)) refused++;
    }
    expect(refused).toBeGreaterThan(500);
  });

  it("reads bytes that nobody wrote to an end", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(3000),
        fc.record({ alphabet: fc.integer({ min: 1, max: 256 }), row: fc.integer({ min: 1, max: 2 ** 31 }) }),
        (bytes, count, stray) => {
          refuses(coder, bytes, count, stray);
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });
});
