import { describe, expect, it } from "vitest";
import { createBatcher } from "../../src/data/index.ts";
import { prepareImage, rankClasses } from "../../src/runtime/index.ts";
import { createRandom } from "../../src/tensor/random.ts";

const random = createRandom(4);

describe("prepareImage", () => {
  it.each(["rgb", "bgr", "grey"] as const)("gives what training reads from the same %s image", (channels) => {
    const [height, width] = [5, 7];
    const planes = Uint8Array.from({ length: 3 * height * width }, () => random.below(256));
    const data = Uint8Array.from({ length: 4 * height * width }, (_, i) =>
      i % 4 === 3 ? 9 : planes[(i % 4) * height * width + (i >> 2)]!,
    );
    const preprocessing = {
      scale: 1 / 255,
      mean: channels === "grey" ? [0.4] : [0.4, 0.5, 0.6],
      std: [0.25],
      channels,
    };
    const batcher = createBatcher(
      { images: planes, labels: new Uint16Array(1), length: 1 },
      { channels: 3, height, width, preprocessing },
    );
    const expected = new Float32Array(batcher.imageShape.reduce((a, b) => a * b, 1));
    batcher.fill([0], null, expected, new Int32Array(1));
    const got = prepareImage({ data, width, height }, { width, height }, preprocessing);
    expect(got).toHaveLength(expected.length);
    for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  });

  it("keeps the mean where it shrinks and a flat image flat where it grows", () => {
    const plain = { scale: 1, mean: [0], std: [1], channels: "grey" as const };
    const data = Uint8Array.from({ length: 4 * 64 }, (_, i) => ((i >> 2) % 8 < 4 ? 0 : 200));
    const small = prepareImage({ data, width: 8, height: 8 }, { width: 2, height: 2 }, plain);
    expect(small[0]! + small[1]!).toBeCloseTo(200, 4);
    expect(small[0]!).toBeLessThan(small[1]!);
    const flat = { data: new Uint8Array(16).fill(77), width: 2, height: 2 };
    for (const value of prepareImage(flat, { width: 9, height: 5 }, plain)) expect(value).toBeCloseTo(77, 4);
  });
});

describe("rankClasses", () => {
  it("ranks logits by their softmax", () => {
    const ranked = rankClasses([1, 3, 2], ["a", "b", "c"]);
    expect(ranked.map(({ name }) => name)).toEqual(["b", "c", "a"]);
    expect(ranked[0]!.probability).toBeCloseTo(0.665241, 6);
  });

  it("takes probabilities as they are", () => {
    expect(rankClasses([0.2, 0.5, 0.3], ["a", "b", "c"])[0]).toEqual({ index: 1, name: "b", probability: 0.5 });
  });
});
