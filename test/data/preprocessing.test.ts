/** Preprocessing computed from data, checked on what a batcher makes of them. */
import { describe, expect, it } from "vitest";
import { createBatcher, type Dataset, normalizeBy, type Preprocessing } from "../../src/data/index.ts";
import { createRandom } from "../../src/tensor/random.ts";

/** Images (3, 2, 2) whose channels differ in brightness and spread. */
function dataset(): Dataset {
  const random = createRandom(7);
  const images = Uint8Array.from({ length: 40 * 12 }, (_, i) => random.below(60 + 60 * (Math.floor(i / 4) % 3)));
  const train = { images, labels: new Uint16Array(40), length: 40 };
  const preprocessing: Preprocessing = { scale: 1, mean: [0], std: [1], channels: "rgb" };
  return { name: "noise", classes: ["one"], channels: 3, height: 2, width: 2, train, test: train, preprocessing };
}

describe("normalizeBy", () => {
  it.each(["rgb", "bgr", "grey"] as const)("gives %s inputs of mean 0 and variance 1 in each channel", (channels) => {
    const data = dataset();
    const preprocessing = normalizeBy(data, { scale: 1 / 50, mean: [0], std: [1], channels });
    const batcher = createBatcher(data.train, { channels: 3, height: 2, width: 2, preprocessing });
    const outputs = channels === "grey" ? 1 : 3;
    const images = new Float32Array(40 * outputs * 4);
    batcher.fill(
      Uint32Array.from({ length: 40 }, (_, i) => i),
      null,
      images,
      new Int32Array(40),
    );
    for (let c = 0; c < outputs; c++) {
      const values = [...images].filter((_, i) => Math.floor(i / 4) % outputs === c);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
      expect(mean).toBeCloseTo(0, 5);
      expect(variance).toBeCloseTo(1, 5);
    }
  });
});
