/** Colours as (R, G, B) from 0 to 255, and the palettes of people and clothes. */
import type { Random } from "../../tensor/random.ts";

/** (R, G, B), each 0 to 255. */
export type Color = readonly [number, number, number];

/** Brightness after ITU-R BT.601, 0 to 255. */
export function luma([r, g, b]: Color): number {
  return 0.299 * r + 0.587 * g + 0.114 * b;
}

/** `a` at t = 0, `b` at t = 1. */
export function mix(a: Color, b: Color, t: number): Color {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

/** `color` times `factor`. */
export function dim(color: Color, factor: number): Color {
  return [color[0] * factor, color[1] * factor, color[2] * factor];
}

/** A colour between two neighbours of `palette`. */
export function pick(palette: readonly Color[], random: Random): Color {
  const at = random.uniform() * (palette.length - 1);
  const i = Math.floor(at);
  return mix(palette[i]!, palette[i + 1]!, at - i);
}

/** Any colour, as bright as `low` to `high`. */
export function anyColor(random: Random, low: number, high: number): Color {
  const color: Color = [random.uniform() * 255, random.uniform() * 255, random.uniform() * 255];
  const wanted = low + (high - low) * random.uniform();
  const grey: Color = [wanted, wanted, wanted];
  const tinted = mix(grey, color, 0.45);
  return dim(tinted, wanted / Math.max(1, luma(tinted)));
}

/** Skin from dark to light. */
export const SKINS: readonly Color[] = [
  [112, 74, 54],
  [139, 93, 66],
  [168, 116, 82],
  [193, 141, 104],
  [214, 165, 126],
  [230, 186, 150],
  [242, 206, 175],
  [250, 222, 200],
];

/** Hair from black over brown and red to blond and grey. */
export const HAIRS: readonly Color[] = [
  [22, 18, 18],
  [38, 26, 22],
  [70, 44, 28],
  [104, 66, 38],
  [150, 78, 38],
  [186, 138, 74],
  [222, 190, 124],
  [186, 182, 178],
  [226, 224, 220],
];

/** Irises. */
export const IRISES: readonly Color[] = [
  [42, 26, 18],
  [70, 44, 24],
  [74, 78, 46],
  [62, 98, 122],
  [88, 112, 118],
];
