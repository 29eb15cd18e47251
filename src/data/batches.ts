/**
 * From stored bytes to the float32 batches a network reads: `x' = (x·scale - mean) / std` through one table of 256 entries
 * a channel, channel order and colour conversion, augmentation, and mixup (Zhang et al. 2017, arXiv:1710.09412).
 * Nothing is allocated per call. Mixup pairs image i with image n-1-i of the batch and draws one weight a pair.
 * Luma is ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B, not rounded.
 */
import { NetpareError } from "../tensor/error.ts";
import type { Random } from "../tensor/random.ts";
import { type Augmentation, type AugmentationDraw, drawAugmentation, identityDraw } from "./augmentation.ts";
import type { Split } from "./dataset.ts";
import type { Preprocessing } from "./preprocessing.ts";

/** Where labels go: class indices, or rows of `classes` probabilities (float32, needs `mixLabels`). */
export type LabelBuffer = Int32Array | BigInt64Array | Float32Array;

/** Soft labels: `y' = (1 - smoothing)·onehot + smoothing/classes`, and mixup with weights from Beta(mixup, mixup). */
export interface MixLabels {
  readonly classes: number;
  /** The parameter of the Beta distribution, in (0, 1]; 0 or absent: no mixup. */
  readonly mixup?: number;
  /** In [0, 1). */
  readonly smoothing?: number;
}

/** The stored shape (C, H, W) of the split's images, and what is to be done to them. */
export interface BatcherOptions {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly preprocessing: Preprocessing;
  readonly augmentation?: Augmentation | undefined;
  readonly mixLabels?: MixLabels | undefined;
}

/** Fills batches of one split. */
export interface Batcher {
  /** What the network reads: (C', H, W), C' being 1 for grey and 3 otherwise. */
  readonly imageShape: readonly [number, number, number];
  /**
   * Writes the n images `indices` to the front of `images: (n, C', H, W)` and their labels to `labels: (n)` or
   * `(n, classes)`. `random === null` leaves out augmentation and mixup; `mirrored` says of each image whether it is its mirror's
   * turn, where that is not drawn.
   */
  fill(
    indices: ArrayLike<number>,
    random: Random | null,
    images: Float32Array,
    labels: LabelBuffer,
    mirrored?: readonly boolean[],
  ): void;
}

interface Source {
  readonly output: number;
  readonly input: number;
  readonly table: Float32Array;
}

/**
 * A batcher of `split`.
 * @throws NetpareError bad-option where the preprocessing does not fit the number of channels, bad-data where the split's
 * bytes are not N·C·H·W.
 */
export function createBatcher(split: Split, options: BatcherOptions): Batcher {
  const { channels, height, width, preprocessing, augmentation, mixLabels } = options;
  const plane = height * width;
  if (split.images.length !== split.length * channels * plane)
    throw new NetpareError(
      "bad-data",
      `${split.length} images of ${channels}x${height}x${width} were expected, found ${split.images.length} bytes`,
    );
  if (mixLabels) checkMixLabels(mixLabels);
  const sources = planSources(channels, preprocessing);
  const outputs = preprocessing.channels === "grey" ? 1 : 3;
  const stride = outputs * plane;
  const still = identityDraw();
  const moving = identityDraw();
  return {
    imageShape: [outputs, height, width],
    fill(indices, random, images, labels, mirrored) {
      const n = indices.length;
      if (images.length < n * stride) throw new Error(`internal: ${images.length} floats for ${n} images of ${stride}`);
      images.fill(0, 0, n * stride);
      for (let i = 0; i < n; i++) {
        const index = indices[i]!;
        if (!(index >= 0 && index < split.length)) throw new Error(`internal: image ${index} of ${split.length}`);
        const draw = random && augmentation ? moving : still;
        if (random && augmentation) drawAugmentation(augmentation, random, width, height, draw, mirrored?.[i]);
        for (const { output, input, table } of sources) {
          const from = (index * channels + input) * plane;
          addPlane(split.images, from, table, draw, height, width, images, i * stride + output * plane);
        }
        if (draw.right > draw.left) cutOut(draw, height, width, outputs, images, i * stride);
      }
      writeLabels(split.labels, indices, labels, mixLabels);
      if (random && mixLabels?.mixup) mixPairs(n, mixLabels, random, images, stride, labels);
    },
  };
}

/** Which stored channel adds to which channel of the network, and through which table. */
function planSources(channels: number, preprocessing: Preprocessing): Source[] {
  if (channels !== 1 && channels !== 3)
    throw new NetpareError("bad-data", `images of 1 or 3 channels were expected, found ${channels}`);
  const outputs = preprocessing.channels === "grey" ? 1 : 3;
  for (const field of ["mean", "std"] as const) {
    const found = preprocessing[field].length;
    if (found !== 1 && found !== outputs)
      throw new NetpareError(
        "bad-option",
        `${field} has ${found} entries, ${preprocessing.channels} images want 1${outputs === 3 ? " or 3" : ""}`,
      );
  }
  const table = (output: number, weight: number, first: boolean) => {
    const mean = preprocessing.mean[output] ?? preprocessing.mean[0]!;
    const std = preprocessing.std[output] ?? preprocessing.std[0]!;
    return Float32Array.from({ length: 256 }, (_, x) => (weight * x * preprocessing.scale - (first ? mean : 0)) / std);
  };
  if (outputs === 1 && channels === 3)
    return [0.299, 0.587, 0.114].map((weight, input) => ({ output: 0, input, table: table(0, weight, input === 0) }));
  return Array.from({ length: outputs }, (_, output) => {
    const input = channels === 1 ? 0 : preprocessing.channels === "bgr" ? 2 - output : output;
    return { output, input, table: table(output, 1, true) };
  });
}

function addPlane(
  bytes: Uint8Array,
  from: number,
  table: Float32Array,
  draw: AugmentationDraw,
  height: number,
  width: number,
  out: Float32Array,
  to: number,
): void {
  const { flip, dx, dy } = draw;
  const x0 = Math.max(0, -dx);
  const x1 = Math.min(width, width - dx);
  const y1 = Math.min(height, height - dy);
  const step = flip ? -1 : 1;
  for (let y = Math.max(0, -dy); y < y1; y++) {
    const row = from + (y + dy) * width;
    let source = flip ? row + width - 1 - (x0 + dx) : row + x0 + dx;
    const end = to + y * width + x1;
    for (let target = to + y * width + x0; target < end; target++) {
      out[target]! += table[bytes[source]!]!;
      source += step;
    }
  }
}

function cutOut(
  draw: AugmentationDraw,
  height: number,
  width: number,
  channels: number,
  out: Float32Array,
  to: number,
): void {
  for (let c = 0; c < channels; c++)
    for (let y = draw.top; y < draw.bottom; y++) {
      const row = to + (c * height + y) * width;
      out.fill(0, row + draw.left, row + draw.right);
    }
}

function checkMixLabels({ classes, mixup = 0, smoothing = 0 }: MixLabels): void {
  if (!(mixup >= 0 && mixup <= 1)) throw new NetpareError("bad-option", `mixup must lie in [0, 1], found ${mixup}`);
  if (!(smoothing >= 0 && smoothing < 1))
    throw new NetpareError("bad-option", `smoothing must lie in [0, 1), found ${smoothing}`);
  if (!(Number.isInteger(classes) && classes > 0)) throw new Error(`internal: labels mixed over ${classes} classes`);
}

function writeLabels(
  source: Uint16Array,
  indices: ArrayLike<number>,
  labels: LabelBuffer,
  mixLabels: MixLabels | undefined,
): void {
  const n = indices.length;
  if (labels instanceof Float32Array !== (mixLabels !== undefined))
    throw new Error("internal: float32 labels go with mixLabels, integer labels without");
  if (labels.length < n * (mixLabels?.classes ?? 1))
    throw new Error(`internal: ${labels.length} labels for ${n} images`);
  if (labels instanceof BigInt64Array) for (let i = 0; i < n; i++) labels[i] = BigInt(source[indices[i]!]!);
  else if (labels instanceof Int32Array) for (let i = 0; i < n; i++) labels[i] = source[indices[i]!]!;
  else {
    const { classes, smoothing = 0 } = mixLabels!;
    labels.fill(smoothing / classes, 0, n * classes);
    for (let i = 0; i < n; i++) {
      const label = source[indices[i]!]!;
      if (label >= classes) throw new Error(`internal: label ${label} of ${classes} classes`);
      labels[i * classes + label]! += 1 - smoothing;
    }
  }
}

function mixPairs(
  n: number,
  mixLabels: MixLabels,
  random: Random,
  images: Float32Array,
  stride: number,
  labels: LabelBuffer,
): void {
  if (!(labels instanceof Float32Array)) return;
  for (let i = 0; i < n >> 1; i++) {
    const weight = drawBeta(mixLabels.mixup ?? 1, random);
    const j = n - 1 - i;
    blendRows(images, i * stride, j * stride, stride, weight);
    blendRows(labels, i * mixLabels.classes, j * mixLabels.classes, mixLabels.classes, weight);
  }
}

function blendRows(values: Float32Array, a: number, b: number, length: number, weight: number): void {
  for (let k = 0; k < length; k++) {
    const first = values[a + k]!;
    const second = values[b + k]!;
    values[a + k] = weight * first + (1 - weight) * second;
    values[b + k] = weight * second + (1 - weight) * first;
  }
}

/** Beta(alpha, alpha) for alpha in (0, 1], by rejection (Jöhnk 1964). */
function drawBeta(alpha: number, random: Random): number {
  for (;;) {
    const x = random.uniform() ** (1 / alpha);
    const y = random.uniform() ** (1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

/** The order of an epoch over n images: a permutation, or 0..n-1 where `random` is null. */
export function epochOrder(n: number, random: Random | null): Uint32Array {
  return random ? random.permutation(n) : Uint32Array.from({ length: n }, (_, i) => i);
}

/** Consecutive runs of `batch` entries of `order`, as views; the last may be shorter, unless `dropLast`. */
export function* batchIndices(order: Uint32Array, batch: number, dropLast = false): Generator<Uint32Array> {
  if (!(Number.isInteger(batch) && batch > 0))
    throw new NetpareError("bad-option", `a batch of at least 1 image was expected, found ${batch}`);
  for (let start = 0; start < order.length; start += batch) {
    if (dropLast && start + batch > order.length) return;
    yield order.subarray(start, start + batch);
  }
}
