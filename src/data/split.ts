/** Parts of a split and its statistics: stratified validation shares, prefixes, per-channel moments. */
import { NetpareError } from "../tensor/error.ts";
import type { Random } from "../tensor/random.ts";
import { allocateImages, type Split } from "./dataset.ts";

/** Bytes of one image of `split`: C·H·W, or 0 for an empty split. */
export function imageBytes(split: Split): number {
  return split.length === 0 ? 0 : split.images.length / split.length;
}

/** The images `indices` of `split`, copied in that order. */
export function selectSplit(split: Split, indices: ArrayLike<number>): Split {
  const stride = imageBytes(split);
  const images = allocateImages(indices.length * stride);
  const labels = new Uint16Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]!;
    if (!(from >= 0 && from < split.length)) throw new Error(`internal: image ${from} of a split of ${split.length}`);
    images.set(split.images.subarray(from * stride, (from + 1) * stride), i * stride);
    labels[i] = split.labels[from]!;
  }
  return { images, labels, length: indices.length };
}

/** The first `n` images (all of them where there are fewer), as views. */
export function takeSplit(split: Split, n: number): Split {
  const length = Math.max(0, Math.min(split.length, Math.floor(n)));
  const stride = imageBytes(split);
  return { images: split.images.subarray(0, length * stride), labels: split.labels.subarray(0, length), length };
}

/**
 * The indices of two parts of `labels`, the second holding `share` (in [0, 1)) of every class, rounded, and at least one
 * image of each class that has two or more where `share > 0`. Both keep the original order.
 * @throws NetpareError bad-option for a share outside [0, 1).
 */
export function stratify(labels: ArrayLike<number>, share: number, random: Random): { rest: number[]; part: number[] } {
  if (!(share >= 0 && share < 1))
    throw new NetpareError("bad-option", `a share in [0, 1) was expected, found ${share}`);
  const byClass = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const members = byClass.get(labels[i]!);
    if (members) members.push(i);
    else byClass.set(labels[i]!, [i]);
  }
  const chosen = new Uint8Array(labels.length);
  for (const label of [...byClass.keys()].sort((a, b) => a - b)) {
    const members = byClass.get(label)!;
    const most = members.length - 1;
    const count = share === 0 ? 0 : Math.min(most, Math.max(1, Math.round(share * members.length)));
    const order = random.permutation(members.length);
    for (let i = 0; i < count; i++) chosen[members[order[i]!]!] = 1;
  }
  const rest: number[] = [];
  const part: number[] = [];
  for (let i = 0; i < labels.length; i++) (chosen[i] ? part : rest).push(i);
  return { rest, part };
}

/** Sets aside `share` of every class of `split` for validation (see `stratify`). */
export function carveValidation(split: Split, share: number, random: Random): { train: Split; validation: Split } {
  const { rest, part } = stratify(split.labels, share, random);
  return { train: selectSplit(split, rest), validation: selectSplit(split, part) };
}

/** Mean and standard deviation of each channel over all pixels. */
export interface Moments {
  readonly mean: number[];
  readonly std: number[];
}

/**
 * The moments of x/255: what `Preprocessing` wants beside `scale = 1/255`. A constant channel gets `std = 1`.
 * @throws NetpareError bad-data for an empty split.
 */
export function computeMoments(split: Split, channels: number): Moments {
  const plane = planeOf(split, channels);
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    const histogram = new Float64Array(256);
    for (let n = 0; n < split.length; n++) {
      const from = (n * channels + c) * plane;
      for (let i = from; i < from + plane; i++) histogram[split.images[i]!]!++;
    }
    const count = split.length * plane;
    let sum = 0;
    let squares = 0;
    for (let x = 0; x < 256; x++) sum += x * histogram[x]!;
    for (let x = 0; x < 256; x++) squares += (x - sum / count) ** 2 * histogram[x]!;
    mean.push(sum / count / 255);
    std.push(Math.sqrt(squares / count) / 255 || 1);
  }
  return { mean, std };
}

/**
 * The moments of the luma of RGB images, `0.299 R + 0.587 G + 0.114 B` (BT.601) of x/255.
 * @throws NetpareError bad-data for an empty split.
 */
export function computeLumaMoments(split: Split): Moments {
  const plane = planeOf(split, 3);
  const count = split.length * plane;
  let sum = 0;
  let squares = 0;
  for (let n = 0; n < split.length; n++)
    for (let i = 3 * n * plane; i < (3 * n + 1) * plane; i++) {
      const { images } = split;
      const luma = (0.299 * images[i]! + 0.587 * images[i + plane]! + 0.114 * images[i + 2 * plane]!) / 255;
      sum += luma;
      squares += luma * luma;
    }
  const mean = sum / count;
  return { mean: [mean], std: [Math.sqrt(Math.max(0, squares / count - mean ** 2)) || 1] };
}

/** Pixels of one channel of one image. */
function planeOf(split: Split, channels: number): number {
  if (split.length === 0) throw new NetpareError("bad-data", "moments need at least one image, the split has none");
  const plane = imageBytes(split) / channels;
  if (!Number.isInteger(plane))
    throw new Error(`internal: ${imageBytes(split)} bytes do not make ${channels} channels`);
  return plane;
}
