/** The stream of images that a training sees. */
import { describe, expect, it } from "vitest";
import { createBatchSource, emptyBatch, endlessOrder } from "../../src/engine/batch-source.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { pixelSplit, plainGrey } from "./tiny-nets.ts";

/** Seven images (1, 2, 3), each filled with its number, which is its class too. */
const train = pixelSplit(
  Array.from({ length: 7 }, (_, i) => Array.from({ length: 6 }, () => i)),
  [0, 1, 2, 3, 4, 5, 6],
);
const taskOf = (options: object, noisy = false) => ({
  train,
  classes: 7,
  storedShape: [1, 2, 3] as const,
  preprocessing: plainGrey,
  options: trainingSchema.parse({ batch: 3, seed: 4, ...options }),
  imageDims: [3, 1, 2, 3],
  noisy,
});

describe("batches of a training", () => {
  it("leave no image out: each run of a split's length, from a multiple of it on, holds all of its images", () => {
    const task = taskOf({});
    const fill = createBatchSource(task);
    const batch = emptyBatch(task);
    const seen: number[] = [];
    for (let t = 0; t < 14; t++) {
      fill(t, batch);
      for (let i = 0; i < 3; i++) {
        seen.push(batch.images.data[i * 6]!);
        expect(batch.targets.data[i * 7 + seen.at(-1)!]).toBe(1);
      }
    }
    const rounds = Array.from({ length: 6 }, (_, k) => seen.slice(7 * k, 7 * k + 7));
    for (const round of rounds) expect([...round].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(rounds[1]).not.toEqual(rounds[0]);
  });

  it("are the same for the same step, whatever was filled before", () => {
    const task = taskOf({ mixup: 0.4, augmentation: { flip: true, crop: 1, cutout: 1 } }, true);
    const [there, back] = [createBatchSource(task), createBatchSource(task)];
    const steps = Array.from({ length: 9 }, (_, t) => t);
    const filled = (fill: typeof there, order: number[]) => {
      const batches = order.map((t): [number, string] => {
        const batch = emptyBatch(task);
        fill(t, batch);
        return [t, [batch.images, batch.targets, batch.noise!].map(({ data }) => data.join()).join("|")];
      });
      return new Map(batches.sort(([a], [b]) => a - b));
    };
    const once = filled(there, steps);
    expect(filled(back, [...steps].reverse())).toEqual(once);
    expect(new Set(once.values()).size).toBe(9);
  });

  it("show an image and its mirror in turn", () => {
    const ramps = pixelSplit(
      Array.from({ length: 7 }, (_, i) => [i, i, i + 1, i, i, i + 1]),
      [0, 1, 2, 3, 4, 5, 6],
    );
    const task = { ...taskOf({ augmentation: { flip: true } }), train: ramps };
    const fill = createBatchSource(task);
    const batch = emptyBatch(task);
    const mirrored = new Map<number, boolean[]>();
    for (let t = 0; t < 14; t++) {
      fill(t, batch);
      for (let i = 0; i < 3; i++) {
        const image = batch.targets.data.subarray(i * 7, i * 7 + 7).indexOf(1);
        const isMirror = batch.images.data[i * 6]! > batch.images.data[i * 6 + 2]!;
        mirrored.set(image, [...(mirrored.get(image) ?? []), isMirror]);
      }
    }
    for (const turns of mirrored.values())
      expect(turns).toEqual(turns.map((_, round) => (round % 2 === 0 ? turns[0] : !turns[0])));
    expect(new Set([...mirrored.values()].map(([first]) => first)).size).toBe(2);
  });

  it("come from permutations that differ from round to round", () => {
    const imageAt = endlessOrder(50, createRandom(3));
    const rounds = [0, 1, 2].map((k) => Array.from({ length: 50 }, (_, i) => imageAt(50 * k + i)).join());
    expect(new Set(rounds).size).toBe(3);
  });
});
