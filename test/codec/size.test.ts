/** How long the streams are, against the entropy of their symbols and against values worked by hand. */
import { describe, expect, it } from "vitest";
import { entropyBits } from "../../src/codec/entropy.ts";
import { encodeHuffman } from "../../src/codec/huffman-encoder.ts";
import { packBits } from "../../src/codec/packed-bits.ts";
import { encodeSymbols } from "../../src/codec/symbols-encoder.ts";
import { clustered, independent } from "./streams.ts";

const sources = [
  { alphabet: 2, zeros: 0.5 },
  { alphabet: 2, zeros: 0.99 },
  { alphabet: 16, zeros: 0.9 },
  { alphabet: 16, zeros: 0.99 },
  { alphabet: 16, zeros: 0.07 },
  { alphabet: 256, zeros: 0.5 },
  { alphabet: 256, zeros: 0.02, floor: 1 },
];

describe("symbols", () => {
  it.each(sources)("are within 1 % and 64 bytes of independent draws' entropy: $alphabet, $zeros zeros", (source) => {
    for (const count of [20_000, 150_000]) {
      const symbols = independent(count, source.alphabet, source.zeros, 3, source.floor);
      const bytes = encodeSymbols(symbols, { alphabet: source.alphabet, row: 144 }).length;
      expect(bytes).toBeLessThan((1.01 * entropyBits(symbols)) / 8 + 64);
    }
  });

  it("are well below the entropy where neighbours are alike", () => {
    const symbols = clustered(60_000, 16, 576, 4);
    const bytes = encodeSymbols(symbols, { alphabet: 16, row: 576 }).length;
    expect(bytes).toBeLessThan((0.92 * entropyBits(symbols)) / 8);
  });

  it("are below it where only the rows above tell", () => {
    const columns = independent(500, 2, 0.7, 5);
    const noise = independent(50_000, 2, 0.95, 6);
    const symbols = Uint8Array.from(noise, (flip, i) => columns[i % 500]! ^ flip);
    const bytes = encodeSymbols(symbols, { alphabet: 2, row: 500 }).length;
    expect(bytes).toBeLessThan((0.55 * entropyBits(symbols)) / 8);
  });

  it("cost next to nothing where all are equal", () => {
    expect(encodeSymbols(new Uint8Array(1_000_000), { alphabet: 16, row: 9 }).length).toBeLessThan(64);
    expect(encodeSymbols(new Uint8Array(100_000).fill(15), { alphabet: 16, row: 9 }).length).toBeLessThan(96);
  });
});

describe("huffman", () => {
  it("spends the textbook's bits: A 8, B 3, C 1, D 1 in 8 + 6 + 3 + 3 bits", () => {
    const symbols = Uint8Array.from("AAAAAAAABBBCD", (letter) => letter.charCodeAt(0) - 65);
    // One byte for the form, four nibbles for the lengths.
    expect(encodeHuffman(symbols, 4, { gapBits: 0 }).length).toBe(1 + 2 + Math.ceil(20 / 8));
  });

  it("keeps to 12 bits where Fibonacci's counts would want 19, at 1 % more", () => {
    const counts = [1, 1];
    while (counts.length < 20) counts.push(counts.at(-1)! + counts.at(-2)!);
    const symbols = Uint8Array.from(counts.flatMap((count, symbol) => Array<number>(count).fill(symbol)));
    const unlimited = counts.reduce((bits, count, symbol) => bits + count * Math.min(19, 20 - symbol), 0);
    const header = 8 + 20 * 4;
    const bits = encodeHuffman(symbols, 20, { gapBits: 0 }).length * 8;
    expect(bits).toBeGreaterThan(unlimited + header);
    expect(bits).toBeLessThan(1.01 * unlimited + header);
  });

  it("is never more than a bit a symbol above the entropy, and with gaps far less where zeros are many", () => {
    const symbols = independent(50_000, 16, 0.98, 7);
    const plain = encodeHuffman(symbols, 16, { gapBits: 0 }).length * 8;
    const best = encodeHuffman(symbols, 16).length * 8;
    expect(plain).toBeLessThan(entropyBits(symbols) + symbols.length + 200);
    expect(best).toBeLessThan(1.15 * entropyBits(symbols));
    expect(best).toBeLessThan(0.4 * plain);
  });
});

describe("entropy", () => {
  it("is Shannon's: four equal symbols take 2 bits each, one alone none", () => {
    expect(entropyBits(Uint8Array.of(0, 1, 2, 3, 0, 1, 2, 3))).toBe(16);
    expect(entropyBits(new Uint8Array(100).fill(9))).toBe(0);
    expect(entropyBits(new Uint8Array(0))).toBe(0);
  });
});

describe("packed bits", () => {
  it("lie the lowest bit first", () => {
    expect([...packBits(Uint8Array.of(1, 2, 7, 5), 3)]).toEqual([0b11_010_001, 0b1011]);
  });
});
