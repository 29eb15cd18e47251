/** What a data set is: labelled 8-bit images in memory, in a training and a test split. */
import { NetpareError } from "../tensor/error.ts";
import type { Preprocessing } from "./preprocessing.ts";

/** `images: (N, C, H, W)` as bytes, channels in RGB order; `labels[i]` is a class index. */
export interface Split {
  readonly images: Uint8Array;
  readonly labels: Uint16Array;
  readonly length: number;
}

/** Memory for the images of a split, which workers share instead of copying. */
export const allocateImages = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));

/** The images in memory that workers share. */
export function shareImages(images: Uint8Array): Uint8Array {
  if (images.buffer instanceof SharedArrayBuffer) return images;
  const shared = allocateImages(images.length);
  shared.set(images);
  return shared;
}

/** A data set of same-sized images; without `classes`, its labels mean nothing. */
export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly train: Split;
  readonly test: Split;
  /** What suits this data where neither the model file nor the command line says otherwise. */
  readonly preprocessing: Preprocessing;
}

/**
 * The data set, which training wants labels from.
 * @throws NetpareError bad-option for one without classes.
 */
export function requireClasses(dataset: Dataset): Dataset {
  if (dataset.classes.length > 0) return dataset;
  throw new NetpareError(
    "bad-option",
    `the images of ${dataset.name} have no classes to learn; give labelled data, or compare two models on them by evaluate --reference`,
  );
}
