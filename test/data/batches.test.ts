import { describe, expect, it } from "vitest";
import { batchIndices, createBatcher, epochOrder } from "../../src/data/batches.ts";
import type { Split } from "../../src/data/dataset.ts";
import type { Preprocessing } from "../../src/data/preprocessing.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { createRandom } from "../../src/tensor/random.ts";

const split = (images: number[], labels: number[]): Split => ({
  images: Uint8Array.from(images),
  labels: Uint16Array.from(labels),
  length: labels.length,
});
/** Two images of (3, 1, 2). */
const rgb = split([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120], [1, 2]);
/** Two images of (1, 2, 2). */
const grey = split([1, 2, 3, 4, 5, 6, 7, 8], [0, 1]);
const plain = (channels: Preprocessing["channels"]): Preprocessing => ({ scale: 1, mean: [0], std: [1], channels });
const small = { channels: 3, height: 1, width: 2 };
const square = { channels: 1, height: 2, width: 2 };

function fill(data: Split, options: Parameters<typeof createBatcher>[1], indices: number[]) {
  const batcher = createBatcher(data, options);
  const [c, h, w] = batcher.imageShape;
  const images = new Float32Array(indices.length * c * h * w).fill(99);
  const labels = new Int32Array(indices.length);
  batcher.fill(indices, null, images, labels);
  return { shape: [c, h, w], images: [...images], labels: [...labels] };
}

describe("createBatcher", () => {
  it("computes (x·scale - mean) / std a channel at a time", () => {
    const preprocessing: Preprocessing = { scale: 0.1, mean: [1, 2, 3], std: [1, 0.5, 0.25], channels: "rgb" };
    const { shape, images, labels } = fill(rgb, { ...small, preprocessing }, [1, 0]);
    expect(shape).toEqual([3, 1, 2]);
    expect(labels).toEqual([2, 1]);
    const expected = [6, 7, 14, 16, 32, 36, 0, 1, 2, 4, 8, 12];
    for (let i = 0; i < 12; i++) expect(images[i]).toBeCloseTo(expected[i]!, 5);
  });

  it("takes mean and std in the order of the network's channels", () => {
    const preprocessing: Preprocessing = { scale: 1, mean: [1, 2, 3], std: [1], channels: "bgr" };
    expect(fill(rgb, { ...small, preprocessing }, [0]).images).toEqual([49, 59, 28, 38, 7, 17]);
  });

  it("makes colour grey by BT.601's luma, without rounding", () => {
    const { shape, images } = fill(rgb, { ...small, preprocessing: { ...plain("grey"), mean: [2], std: [2] } }, [0]);
    expect(shape).toEqual([1, 1, 2]);
    expect(images[0]).toBeCloseTo((0.299 * 10 + 0.587 * 30 + 0.114 * 50 - 2) / 2, 5);
    expect(images[1]).toBeCloseTo((0.299 * 20 + 0.587 * 40 + 0.114 * 60 - 2) / 2, 5);
  });

  it("repeats grey for a network that reads colour", () => {
    const { shape, images } = fill(grey, { ...square, preprocessing: { ...plain("rgb"), mean: [0, 1, 2] } }, [0]);
    expect(shape).toEqual([3, 2, 2]);
    expect(images).toEqual([1, 2, 3, 4, 0, 1, 2, 3, -1, 0, 1, 2]);
  });

  it("leaves what lies behind the batch in the buffers alone", () => {
    const images = new Float32Array(12).fill(99);
    const labels = BigInt64Array.from([9n, 9n, 9n]);
    createBatcher(grey, { ...square, preprocessing: plain("grey") }).fill([1, 0], null, images, labels);
    expect([...images]).toEqual([5, 6, 7, 8, 1, 2, 3, 4, 99, 99, 99, 99]);
    expect([...labels]).toEqual([1n, 0n, 9n]);
  });

  it("augments only with a generator, and alike for the same seed", () => {
    const options = { ...square, preprocessing: plain("grey"), augmentation: { flip: true, crop: 1, cutout: 1 } };
    expect(fill(grey, options, [0, 1]).images).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const batcher = createBatcher(grey, options);
    const run = (seed: number) => {
      const images = new Float32Array(80);
      batcher.fill(
        Array.from({ length: 20 }, (_, i) => i % 2),
        createRandom(seed),
        images,
        new Int32Array(20),
      );
      return [...images];
    };
    expect(run(4)).toEqual(run(4));
    expect(run(4)).not.toEqual(run(5));
  });

  it("smooths labels", () => {
    const labels = new Float32Array(8);
    const mixLabels = { classes: 4, smoothing: 0.2 };
    const batcher = createBatcher(grey, { ...square, preprocessing: plain("grey"), mixLabels });
    batcher.fill([0, 1], null, new Float32Array(8), labels);
    const expected = [0.85, 0.05, 0.05, 0.05, 0.05, 0.85, 0.05, 0.05];
    for (let i = 0; i < 8; i++) expect(labels[i]).toBeCloseTo(expected[i]!, 6);
  });

  it("mixes images and labels of a pair by one weight", () => {
    const mixLabels = { classes: 2, mixup: 1 };
    const batcher = createBatcher(grey, { ...square, preprocessing: plain("grey"), mixLabels });
    const images = new Float32Array(12);
    const labels = new Float32Array(6);
    batcher.fill([0, 0, 1], createRandom(2), images, labels);
    const weight = labels[0]!;
    expect(weight).toBeGreaterThan(0);
    expect(weight).toBeLessThan(1);
    expect(labels[1]).toBeCloseTo(1 - weight, 6);
    expect(labels[4]).toBeCloseTo(1 - weight, 6);
    expect([...labels.subarray(2, 4)]).toEqual([1, 0]);
    expect([...images.subarray(4, 8)]).toEqual([1, 2, 3, 4]);
    for (let i = 0; i < 4; i++) {
      expect(images[i]).toBeCloseTo(weight * (1 + i) + (1 - weight) * (5 + i), 5);
      expect(images[8 + i]).toBeCloseTo(weight * (5 + i) + (1 - weight) * (1 + i), 5);
    }
  });

  it("refuses what does not fit", () => {
    const wrong = (make: () => unknown) => {
      expect(make).toThrow(NetpareError);
      return expect(make);
    };
    wrong(() => createBatcher(grey, { ...square, width: 3, preprocessing: plain("grey") })).toThrow(/1x2x3.*8 bytes/);
    const three = { ...plain("grey"), mean: [1, 2, 3] };
    wrong(() => createBatcher(rgb, { ...small, preprocessing: three })).toThrow(
      "mean has 3 entries, grey images want 1",
    );
    const two = split([1, 2, 3, 4], [0]);
    wrong(() => createBatcher(two, { channels: 2, height: 1, width: 2, preprocessing: plain("rgb") })).toThrow(
      "1 or 3 channels",
    );
    const mixLabels = { classes: 2, mixup: 2 };
    wrong(() => createBatcher(grey, { ...square, preprocessing: plain("grey"), mixLabels })).toThrow("mixup");
    const batcher = createBatcher(grey, { ...square, preprocessing: plain("grey") });
    expect(() => batcher.fill([2], null, new Float32Array(4), new Int32Array(1))).toThrow("image 2 of 2");
    expect(() => batcher.fill([0], null, new Float32Array(3), new Int32Array(1))).toThrow("3 floats");
    expect(() => batcher.fill([0], null, new Float32Array(4), new Float32Array(2))).toThrow("mixLabels");
  });
});

describe("epochOrder and batchIndices", () => {
  it("walk every image once, the last batch being what is left", () => {
    const order = epochOrder(10, createRandom(1));
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...order]).not.toEqual([...epochOrder(10, null)]);
    const batches = [...batchIndices(order, 4)];
    expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect(batches.flatMap((batch) => [...batch])).toEqual([...order]);
    expect([...batchIndices(order, 4, true)].map((batch) => batch.length)).toEqual([4, 4]);
    expect([...batchIndices(order, 5, true)].length).toBe(2);
    expect([...batchIndices(epochOrder(0, null), 4)]).toEqual([]);
    expect(() => [...batchIndices(order, 0)]).toThrow("at least 1");
  });
});
