/** The binary range coder itself: what is written is read, to the last byte and none further, carries included. */
import { describe, expect, it } from "vitest";
import { createBitModels, windows } from "../../src/codec/_bit-models.ts";
import { RangeDecoder } from "../../src/codec/range-decoder.ts";
import { RangeEncoder } from "../../src/codec/range-encoder.ts";
import { createRandom } from "../../src/tensor/random.ts";

type Step = { readonly model: number; readonly bit: number } | { readonly raw: number; readonly bits: number };

/** Bits under eight models, one with a share of `ones`, and raw bits between them. */
function steps(count: number, ones: number, seed: number): Step[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const bits = 1 + random.below(8);
    if (random.uniform() < 0.05) return { raw: random.below(2 ** bits), bits };
    return { model: random.below(8), bit: random.uniform() < ones ? 1 : 0 };
  });
}

function write(list: readonly Step[], limit: number): Uint8Array {
  const encoder = new RangeEncoder();
  const models = createBitModels(8);
  for (const step of list) {
    if ("raw" in step) encoder.raw(step.raw, step.bits);
    else encoder.bit(models, step.model, step.bit, limit);
  }
  return encoder.finish();
}

/** How many steps come out as they went in, and whether the decoder then says that it is finished. */
function read(bytes: Uint8Array, list: readonly Step[], limit: number): { right: number; finished: boolean } {
  const decoder = new RangeDecoder(bytes);
  const models = createBitModels(8);
  const right = list.filter((step) =>
    "raw" in step ? decoder.raw(step.bits) === step.raw : decoder.bit(models, step.model, limit) === step.bit,
  ).length;
  return { right, finished: decoder.finished() };
}

describe("range coder", () => {
  it.each([...windows])("reads what was written, under a window of %i bits", (limit) => {
    for (const ones of [0, 0.0005, 0.03, 0.5, 0.98, 1]) {
      for (const count of [0, 1, 2, 7, 50, 5000]) {
        const list = steps(count, ones, count + limit);
        expect(read(write(list, limit), list, limit)).toEqual({ right: count, finished: true });
      }
    }
  });

  it("carries through bytes of 255", () => {
    // Raw bytes of 255 leave low just below a power of two, which later bits pass.
    for (let seed = 0; seed < 400; seed++) {
      const random = createRandom(seed);
      const list: Step[] = Array.from({ length: 60 }, () => ({ raw: random.uniform() < 0.9 ? 255 : 254, bits: 8 }));
      list.push(...steps(200, 0.95, seed));
      const bytes = write(list, 60);
      expect(read(bytes, list, 60)).toEqual({ right: list.length, finished: true });
    }
  });

  it("carries out of its last two bytes", () => {
    // One stream in 65,536 ends so close below a carry that the two bytes which end it cause one.
    const random = createRandom(5);
    let wrong = 0;
    for (let run = 0; run < 300_000; run++) {
      const words = [random.below(256), random.below(256), random.below(256)];
      const encoder = new RangeEncoder();
      for (const word of words) encoder.raw(word, 8);
      const decoder = new RangeDecoder(encoder.finish());
      if (!words.every((word) => decoder.raw(8) === word)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("knows a stream that is a byte short or a byte long", () => {
    for (let seed = 0; seed < 100; seed++) {
      const list = steps(1 + seed * 5, 0.2, seed);
      const bytes = write(list, 250);
      expect(read(Uint8Array.of(...bytes, 0), list, 250).finished).toBe(false);
      expect(read(bytes.subarray(0, -1), list, 250)).not.toEqual({ right: list.length, finished: true });
    }
  });

  it("reads zeros for ever past its input", () => {
    const decoder = new RangeDecoder(new Uint8Array(0));
    const models = createBitModels(8);
    for (let i = 0; i < 10_000; i++) expect(decoder.bit(models, i & 7, 30)).toBe(0);
    expect(decoder.finished()).toBe(false);
  });

  it("descends a tree as bit after bit would", () => {
    const random = createRandom(3);
    const encoder = new RangeEncoder();
    const written = createBitModels(64);
    const leaves = Array.from({ length: 3000 }, () => 32 + Math.floor(32 * random.uniform() ** 3));
    for (const leaf of leaves) {
      for (let level = 4; level >= 0; level--) encoder.bit(written, leaf >> (level + 1), (leaf >> level) & 1, 120);
    }
    const bytes = encoder.finish();
    const decoder = new RangeDecoder(bytes);
    const read = createBitModels(64);
    expect(leaves.map(() => decoder.descend(read, 0, 1, 5, 120))).toEqual(leaves);
    expect(decoder.finished()).toBe(true);
    expect(read).toEqual(written);
  });
});
