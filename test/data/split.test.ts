import { describe, expect, it } from "vitest";
import type { Split } from "../../src/data/dataset.ts";
import {
  carveValidation,
  computeLumaMoments,
  computeMoments,
  selectSplit,
  stratify,
  takeSplit,
} from "../../src/data/split.ts";
import { createRandom } from "../../src/tensor/random.ts";

/** n images of two bytes, i and 100 + i, with label i mod `classes`. */
function numbered(n: number, classes: number): Split {
  return {
    images: Uint8Array.from({ length: 2 * n }, (_, k) => (k % 2) * 100 + Math.floor(k / 2)),
    labels: Uint16Array.from({ length: n }, (_, i) => i % classes),
    length: n,
  };
}

describe("carveValidation", () => {
  it("takes the same share of every class and loses nothing", () => {
    const { train, validation } = carveValidation(numbered(60, 3), 0.2, createRandom(1));
    expect([train.length, validation.length]).toEqual([48, 12]);
    for (const label of [0, 1, 2]) expect(validation.labels.filter((found) => found === label).length).toBe(4);
    const all = [train, validation].flatMap((part) => [...part.images].filter((_, k) => k % 2 === 0));
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    for (const part of [train, validation])
      for (let i = 0; i < part.length; i++) {
        expect(part.images[2 * i]! % 3).toBe(part.labels[i]);
        expect(part.images[2 * i + 1]).toBe(part.images[2 * i]! + 100);
      }
  });

  it("is fixed by its generator", () => {
    const carve = (seed: number) => [...carveValidation(numbered(60, 3), 0.2, createRandom(seed)).validation.images];
    expect(carve(1)).toEqual(carve(1));
    expect(carve(1)).not.toEqual(carve(2));
  });
});

describe("stratify", () => {
  it("keeps one of each class on either side, and nothing aside for a share of 0", () => {
    expect(stratify([0, 0, 1, 1], 0.01, createRandom(1)).part.length).toBe(2);
    expect(stratify([0, 0, 1, 1], 0.99, createRandom(1)).rest.length).toBe(2);
    expect(stratify([0, 1, 1], 0.5, createRandom(1)).rest).toContain(0);
    expect(stratify([0, 0, 1, 1], 0, createRandom(1)).rest).toEqual([0, 1, 2, 3]);
    expect(() => stratify([0], 1, createRandom(1))).toThrow("share in [0, 1)");
    expect(() => stratify([0], Number.NaN, createRandom(1))).toThrow("NaN");
  });
});

describe("takeSplit and selectSplit", () => {
  it("take prefixes and choices", () => {
    const split = numbered(5, 2);
    expect([...takeSplit(split, 2).images]).toEqual([0, 100, 1, 101]);
    expect(takeSplit(split, 9).length).toBe(5);
    expect(takeSplit(split, 0).images.length).toBe(0);
    const chosen = selectSplit(split, [4, 1]);
    expect([...chosen.images]).toEqual([4, 104, 1, 101]);
    expect([...chosen.labels]).toEqual([0, 1]);
    expect(() => selectSplit(split, [5])).toThrow("internal");
  });
});

describe("computeMoments", () => {
  it("gives mean and standard deviation of x/255 for each channel", () => {
    // two images of (2, 1, 2): channel 0 holds 0, 255, 0, 255; channel 1 only 51
    const split = { images: Uint8Array.from([0, 255, 51, 51, 0, 255, 51, 51]), labels: new Uint16Array(2), length: 2 };
    const { mean, std } = computeMoments(split, 2);
    expect(mean[0]).toBeCloseTo(0.5, 12);
    expect(mean[1]).toBeCloseTo(0.2, 12);
    expect(std[0]).toBeCloseTo(0.5, 12);
    expect(std[1]).toBe(1);
    expect(() => computeMoments(takeSplit(split, 0), 2)).toThrow("at least one image");
  });
});

describe("computeLumaMoments", () => {
  it("gives mean and standard deviation of the luma", () => {
    // One image of (3, 1, 2): white and green.
    const split = { images: Uint8Array.from([255, 0, 255, 255, 255, 0]), labels: new Uint16Array(1), length: 1 };
    const { mean, std } = computeLumaMoments(split);
    expect(mean[0]).toBeCloseTo((1 + 0.587) / 2, 12);
    expect(std[0]).toBeCloseTo((1 - 0.587) / 2, 9);
    expect(() => computeLumaMoments(takeSplit(split, 0))).toThrow("at least one image");
  });
});
