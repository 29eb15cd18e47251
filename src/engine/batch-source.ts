/**
 * The batches of a training, by step. The images come from an endless row of permutations of the split, cut into batches without
 * regard to where one permutation ends and the next begins: no image is left out, and all are seen equally often. Where mirrors are
 * shown, an image and its mirror take turns: as many different images as can be in a few epochs (Jordan 2024, arXiv:2404.00498, 3.6).
 * All randomness of step t comes from the seed and t, so that batches can be made in any order and again.
 */
import { createBatcher } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { createRandom, type Random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { TrainingOptions } from "./training-options.ts";

/** What batches are made of, as plain data. */
export interface BatchTask {
  readonly train: Split;
  readonly classes: number;
  /** `(C, H, W)` of the stored images. */
  readonly storedShape: readonly [number, number, number];
  readonly preprocessing: Preprocessing;
  readonly options: TrainingOptions;
  /** What the network reads: `(N, C', H, W)`, or `(N, C'·H·W)`. */
  readonly imageDims: readonly number[];
  /** Whether each image comes with a number in [100, 1100) for dropout. */
  readonly noisy: boolean;
}

/** One step's images, targets `(N, classes)`, and noise `(N)`. */
export interface Batch {
  readonly images: Tensor<"float32">;
  readonly targets: Tensor<"float32">;
  readonly noise: Tensor<"float32"> | undefined;
}

/** A batch of the task's size, not filled yet. */
export function emptyBatch({ imageDims, options, classes, noisy }: BatchTask): Batch {
  return {
    images: tensor("float32", imageDims),
    targets: tensor("float32", [options.batch, classes]),
    noise: noisy ? tensor("float32", [options.batch]) : undefined,
  };
}

/** A function that fills `batch` for step `t`. */
export function createBatchSource(task: BatchTask): (t: number, batch: Batch) => void {
  const { options, classes, storedShape, preprocessing, train } = task;
  const [channels, height, width] = storedShape;
  const batcher = createBatcher(train, {
    channels,
    height,
    width,
    preprocessing,
    augmentation: options.augmentation,
    mixLabels: { classes, smoothing: options.labelSmoothing, mixup: options.mixup },
  });
  const root = createRandom(options.seed);
  const imageAt = endlessOrder(train.length, root.fork(0));
  const draws = root.fork(1);
  const turns = root.fork(2);
  const mirroredFirst = Uint8Array.from({ length: train.length }, () => turns.below(2));
  const indices = new Uint32Array(options.batch);
  return (t, { images, targets, noise }) => {
    const mirrored: boolean[] = [];
    for (let i = 0; i < indices.length; i++) {
      const position = t * indices.length + i;
      const image = imageAt(position);
      indices[i] = image;
      mirrored.push(((mirroredFirst[image]! + Math.floor(position / train.length)) & 1) === 1);
    }
    const random = draws.fork(t);
    batcher.fill(indices, random, images.data, targets.data, mirrored);
    if (noise) for (let i = 0; i < noise.data.length; i++) noise.data[i] = 100 + 1000 * random.uniform();
  };
}

/** Which of `n` images stands at a position of the endless row of permutations. */
export function endlessOrder(n: number, random: Random): (position: number) => number {
  let round = -1;
  let order = new Uint32Array(0);
  return (position) => {
    const wanted = Math.floor(position / n);
    if (wanted !== round) {
      round = wanted;
      order = Uint32Array.from(random.fork(round).permutation(n));
    }
    return order[position % n]!;
  };
}
