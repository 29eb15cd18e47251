/**
 * From RGBA pixels to a network's input: the nearest thing to what the network saw in training.
 * Resampling is by area where the image shrinks and bilinear where it grows (a tent as wide as the larger of the two pixels);
 * then `x' = (x·scale - mean) / std` a channel. Grey is ITU-R BT.601 luma. Alpha is ignored.
 */

/** RGBA bytes, row by row, as a canvas gives them. */
export interface Pixels {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/** What a network reads. */
export interface InputShape {
  readonly height: number;
  readonly width: number;
}

/** As stored in a model's metadata under `netpare.preprocessing`. */
export interface PixelScaling {
  readonly scale: number;
  /** One entry, or one a channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channels: "rgb" | "bgr" | "grey";
}

/** How much red, green and blue each channel of the network takes. */
const mixes: Readonly<Record<PixelScaling["channels"], readonly (readonly [number, number, number])[]>> = {
  rgb: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  bgr: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
  grey: [[0.299, 0.587, 0.114]],
};

/** The input `(1, C, height, width)` for an image of any size. */
export function prepareImage(image: Pixels, { height, width }: InputShape, scaling: PixelScaling): Float32Array {
  const rows = taps(image.height, height);
  const columns = taps(image.width, width);
  const mix = mixes[scaling.channels];
  const out = new Float32Array(mix.length * height * width);
  rows.forEach((row, y) => {
    columns.forEach((column, x) => {
      const rgb = [0, 0, 0];
      for (const [sy, wy] of row)
        for (const [sx, wx] of column)
          for (let k = 0; k < 3; k++) rgb[k]! += wy * wx * image.data[4 * (sy * image.width + sx) + k]!;
      mix.forEach((weights, c) => {
        const value = weights.reduce((sum, weight, k) => sum + weight * rgb[k]!, 0);
        const mean = scaling.mean[c] ?? scaling.mean[0]!;
        const std = scaling.std[c] ?? scaling.std[0]!;
        out[(c * height + y) * width + x] = (value * scaling.scale - mean) / std;
      });
    });
  });
  return out;
}

/** For each of `to` pixels along an axis, the source pixels it reads and their weights, which add up to 1. */
function taps(from: number, to: number): (readonly [index: number, weight: number])[][] {
  const step = from / to;
  const reach = Math.max(step, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * step - 0.5;
    const found: [number, number][] = [];
    for (let s = Math.ceil(centre - reach); s <= Math.floor(centre + reach); s++) {
      const weight = 1 - Math.abs(s - centre) / reach;
      if (weight > 0) found.push([Math.min(Math.max(s, 0), from - 1), weight]);
    }
    const total = found.reduce((sum, [, weight]) => sum + weight, 0);
    return found.map(([index, weight]) => [index, weight / total] as const);
  });
}
