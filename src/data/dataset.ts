/** What a data set is: labelled 8-bit images in memory, in a training and a test split. */
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

/** A data set of same-sized images. */
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
