/**
 * Random changes to a training image, drawn per image: mirror, shift within a padded border
 * (He et al. 2015, arXiv:1512.03385: pad, then crop) and cutout (DeVries, Taylor 2017, arXiv:1708.04552).
 * `out(x, y) = F(x + dx, y + dy)`, `F` the image or its mirror; what comes from outside, or lies in the cut-out square,
 * is 0 after preprocessing, which is the mean colour of a normalized image.
 */
import { z } from "zod";
import type { Random } from "../tensor/random.ts";

const pixels = z.number().int().min(0).max(1024);

/** `crop`: largest shift along each axis, in pixels; `cutout`: side of the square, in pixels; 0 turns either off. */
export const augmentationSchema = z.object({
  flip: z.boolean().default(false).describe("show each training image and its mirror in turn"),
  crop: pixels.default(0).describe("largest shift of a training image, in pixels"),
  cutout: pixels.default(0).describe("side of the square cut out of a training image, in pixels"),
});

export type Augmentation = z.infer<typeof augmentationSchema>;

/** What was drawn for one image; the square is `[left, right) x [top, bottom)`, clipped to the image. */
export interface AugmentationDraw {
  flip: boolean;
  dx: number;
  dy: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The draw that changes nothing. */
export function identityDraw(): AugmentationDraw {
  return { flip: false, dx: 0, dy: 0, left: 0, top: 0, right: 0, bottom: 0 };
}

/**
 * Draws for one image of `width` x `height` into `draw`. What is off draws no random number, nor does the mirror where `mirrored`
 * says whether it is this image's turn; the square's centre is uniform over the image, so that part of the square may fall outside.
 */
export function drawAugmentation(
  augmentation: Augmentation,
  random: Random,
  width: number,
  height: number,
  draw: AugmentationDraw,
  mirrored?: boolean,
): void {
  const { flip, crop, cutout } = augmentation;
  draw.flip = flip && (mirrored ?? random.uniform() < 0.5);
  draw.dx = crop === 0 ? 0 : random.below(2 * crop + 1) - crop;
  draw.dy = crop === 0 ? 0 : random.below(2 * crop + 1) - crop;
  const left = cutout === 0 ? 0 : random.below(width) - (cutout >> 1);
  const top = cutout === 0 ? 0 : random.below(height) - (cutout >> 1);
  draw.left = Math.max(0, left);
  draw.top = Math.max(0, top);
  draw.right = Math.min(width, left + cutout);
  draw.bottom = Math.min(height, top + cutout);
}
