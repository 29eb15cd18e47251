import { describe, expect, it } from "vitest";
import { createBatcher } from "../../src/data/batches.ts";
import type { Dataset, Split } from "../../src/data/dataset.ts";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { createRandom } from "../../src/tensor/random.ts";

const CLASSES = 8;
const PIXELS = 48 * 48;

/** Multinomial logistic regression on pixels, by stochastic gradient descent with momentum. */
function linearAccuracy(data: Dataset, epochs: number): number {
  const read = (split: Split) => {
    const images = new Float32Array(split.length * PIXELS);
    const labels = new Int32Array(split.length);
    const batcher = createBatcher(split, data);
    batcher.fill(
      Array.from({ length: split.length }, (_, i) => i),
      null,
      images,
      labels,
    );
    return { images, labels };
  };
  const weights = new Float32Array(CLASSES * PIXELS);
  const bias = new Float32Array(CLASSES);
  const logits = new Float64Array(CLASSES);
  const score = (images: Float32Array, n: number) => {
    for (let k = 0; k < CLASSES; k++) {
      let sum = bias[k]!;
      for (let i = 0; i < PIXELS; i++) sum += weights[k * PIXELS + i]! * images[n * PIXELS + i]!;
      logits[k] = sum;
    }
    return logits;
  };
  const train = read(data.train);
  const random = createRandom(1);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 6e-4 / (1 + epoch);
    for (const n of random.permutation(data.train.length)) {
      const z = score(train.images, n);
      const largest = Math.max(...z);
      let sum = 0;
      for (let k = 0; k < CLASSES; k++) sum += Math.exp(z[k]! - largest);
      for (let k = 0; k < CLASSES; k++) {
        const error = Math.exp(z[k]! - largest) / sum - (k === train.labels[n] ? 1 : 0);
        bias[k]! -= rate * error;
        for (let i = 0; i < PIXELS; i++) weights[k * PIXELS + i]! -= rate * error * train.images[n * PIXELS + i]!;
      }
    }
  }
  const test = read(data.test);
  let right = 0;
  for (let n = 0; n < data.test.length; n++) {
    const z = score(test.images, n);
    if (z.indexOf(Math.max(...z)) === test.labels[n]) right++;
  }
  return right / data.test.length;
}

describe("faces", () => {
  it("are too hard for a linear model, and not noise to it", () => {
    const data = createFaces({ trainSamples: 3000, testSamples: 600, size: 48, channels: 1, seed: 1 });
    const accuracy = linearAccuracy(data, 6);
    expect(accuracy).toBeLessThan(0.65);
    expect(accuracy).toBeGreaterThan(0.3);
  });
});
