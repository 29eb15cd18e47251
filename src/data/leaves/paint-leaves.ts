/**
 * One picture of dead leaves: shapes that lie on each other in random order, their radii of density r⁻³, which gives the
 * edges, occlusions and, over all scales, the 1/f² power of photographs (Lee, Mumford, Huang 2001, Occlusion models for natural
 * images). Each picture is a window on a scene of its own: range of sizes, kinds of shapes, a few colours, light.
 *
 * Leaves are laid from the front, each where nothing lies yet; what they leave open is ground. Colours are drawn along the
 * principal axes of natural ones, brightness by far the longest (Ohta, Kanade, Sakai 1980); surfaces bear noise, blotches, ridges,
 * stripes or checks, stretched and turned, and are shaded across. A lens blurs the whole by about a pixel.
 */
import type { Random } from "../../tensor/random.ts";
import { tileSide } from "./noise.ts";

/** Red, green and blue, 0 to 255 and beyond. */
type Color = readonly [number, number, number];

/** What the leaves of a picture have in common. */
interface Scene {
  readonly least: number;
  readonly most: number;
  readonly count: number;
  readonly palette: readonly Color[];
  readonly roughness: number;
  /** Weights of ellipses, boxes, blobs and stars. */
  readonly shapes: readonly number[];
  /** Weights of noise, blotches, ridges, stripes and checks. */
  readonly patterns: readonly number[];
  readonly light: number;
}

/** A surface: where it is in its own coordinates, what it bears. */
interface Surface {
  readonly color: Color;
  readonly tint: Color;
  readonly amplitude: number;
  readonly pattern: number;
  readonly tile: Float32Array;
  readonly u: readonly [number, number, number];
  readonly v: readonly [number, number, number];
  readonly shade: readonly [number, number, number];
}

/** Says whether an offset from the centre, of at most `reach`, is inside. */
interface Outline {
  readonly reach: number;
  inside(dx: number, dy: number): boolean;
}

/** A function that paints a picture `(3, side, side)` of bytes to `out` at `at`; it keeps its own memory. */
export function createLeavesPainter(
  side: number,
  tiles: readonly Float32Array[],
): (random: Random, out: Uint8Array, at: number) => void {
  const plane = side * side;
  const covered = new Uint8Array(plane);
  const pixels = new Float32Array(3 * plane);
  const blurred = new Float32Array(plane);
  return (random, out, at) => {
    const scene = drawScene(random, side);
    covered.fill(0);
    let open = plane;
    for (let i = 0; i < scene.count && open > plane / 500; i++)
      open -= layLeaf(scene, random, side, tiles, covered, pixels);
    const ground = drawSurface(scene, random, side, tiles, side / 2, side / 2);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) if (covered[y * side + x] === 0) paint(ground, x, y, pixels, y * side + x, plane);
    const softness = 0.1 + 0.4 * random.uniform();
    for (let c = 0; c < 3; c++) {
      const channel = pixels.subarray(c * plane, (c + 1) * plane);
      blur(channel, blurred, side, softness);
      for (let i = 0; i < plane; i++) out[at + c * plane + i] = Math.max(0, Math.min(255, Math.round(channel[i]!)));
    }
  };
}

function drawScene(random: Random, side: number): Scene {
  const between = (low: number, high: number) => low * (high / low) ** random.uniform();
  const shapes = Array.from({ length: 4 }, () => random.uniform() ** 3 + 0.02);
  const patterns = Array.from({ length: 5 }, () => random.uniform() ** 3 + 0.01);
  patterns[0]! += 0.6;
  const base: Color = [125 + 35 * random.normal(), 16 * random.normal(), 8 * random.normal()];
  const contrast = between(25, 75);
  const chroma = between(0.12, 0.9);
  const palette = Array.from({ length: 2 + random.below(6) }, () => drawColor(random, base, contrast, chroma));
  return {
    least: side * between(0.008, 0.12),
    most: side * between(0.25, 0.9),
    count: random.uniform() < 0.4 ? 20000 : Math.round(between(1, 40)),
    palette,
    roughness: between(4, 30),
    shapes,
    patterns,
    light: 2 * Math.PI * random.uniform(),
  };
}

/** A colour about `base`, which like the drawing is along the axes brightness, red against blue, green against both. */
function drawColor(random: Random, base: Color, contrast: number, chroma: number): Color {
  const i1 = base[0] + contrast * random.normal();
  const i2 = base[1] + contrast * chroma * random.normal();
  const i3 = base[2] + 0.5 * contrast * chroma * random.normal();
  return [i1 + i2 - i3, i1 + 2 * i3, i1 - i2 - i3];
}

function choose(weights: readonly number[], random: Random): number {
  let left = random.uniform() * weights.reduce((a, b) => a + b, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

/** Lays one leaf under those that lie; returns how many pixels it covers. */
function layLeaf(
  scene: Scene,
  random: Random,
  side: number,
  tiles: readonly Float32Array[],
  covered: Uint8Array,
  pixels: Float32Array,
): number {
  const { least, most } = scene;
  // The density r^-3 between least and most, by the inverse of its distribution.
  const share = random.uniform();
  const radius = 1 / Math.sqrt((1 - share) / least ** 2 + share / most ** 2);
  const outline = drawOutline(choose(scene.shapes, random), radius, random);
  const { reach } = outline;
  const cx = random.uniform() * (side + 2 * reach) - reach;
  const cy = random.uniform() * (side + 2 * reach) - reach;
  const surface = drawSurface(scene, random, radius, tiles, cx, cy);
  let count = 0;
  for (let y = Math.max(0, Math.ceil(cy - reach)); y < Math.min(side, cy + reach); y++)
    for (let x = Math.max(0, Math.ceil(cx - reach)); x < Math.min(side, cx + reach); x++) {
      const i = y * side + x;
      if (covered[i] !== 0 || !outline.inside(x - cx, y - cy)) continue;
      covered[i] = 1;
      count++;
      paint(surface, x, y, pixels, i, side * side);
    }
  return count;
}

function drawOutline(shape: number, radius: number, random: Random): Outline {
  const stretch = 1 + 2 * random.uniform() ** 2;
  const angle = Math.PI * random.uniform();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [a, b] = [radius * Math.sqrt(stretch), radius / Math.sqrt(stretch)];
  const along = (dx: number, dy: number) => (dx * cos + dy * sin) / a;
  const across = (dx: number, dy: number) => (dy * cos - dx * sin) / b;
  if (shape === 0) return { reach: a, inside: (dx, dy) => along(dx, dy) ** 2 + across(dx, dy) ** 2 < 1 };
  if (shape === 1)
    return {
      reach: Math.hypot(a, b),
      inside: (dx, dy) => Math.abs(along(dx, dy)) < 1 && Math.abs(across(dx, dy)) < 1,
    };
  const corners = shape === 2 ? 2 + random.below(3) : 3 + random.below(6);
  const depth = (shape === 2 ? 0.25 : 0.45) * random.uniform();
  const phases = [2 * Math.PI * random.uniform(), 2 * Math.PI * random.uniform()] as const;
  return {
    reach: a * (1 + depth) * 1.2,
    inside(dx, dy) {
      const [p, q] = [along(dx, dy), across(dx, dy)];
      const theta = Math.atan2(q, p);
      const wave = Math.cos(corners * theta + phases[0]) + 0.4 * Math.cos((2 * corners + 1) * theta + phases[1]);
      return Math.hypot(p, q) < 1 + depth * wave * 0.7;
    },
  };
}

function drawSurface(
  scene: Scene,
  random: Random,
  radius: number,
  tiles: readonly Float32Array[],
  cx: number,
  cy: number,
): Surface {
  const { palette, roughness, light } = scene;
  const [r, g, b] = palette[random.below(palette.length)]!;
  const lift = 8 * random.normal();
  const angle = 2 * Math.PI * random.uniform();
  const fineness = 2 ** (1.6 * random.uniform() - 0.6);
  const stretch = 2 ** (2.5 * random.uniform() ** 2);
  const [cos, sin] = [Math.cos(angle) * fineness, Math.sin(angle) * fineness];
  const shading = (28 * random.uniform() ** 2) / radius;
  const [across, down] = [Math.cos(light) * shading, Math.sin(light) * shading];
  return {
    color: [r + lift, g + lift, b + lift],
    tint: [1 + 0.2 * random.normal(), 1, 1 + 0.2 * random.normal()],
    amplitude: roughness * Math.exp(0.7 * random.normal()),
    pattern: choose(scene.patterns, random),
    tile: tiles[random.below(tiles.length)]!,
    u: [cos, sin, tileSide * random.uniform()],
    v: [-sin * stretch, cos * stretch, tileSide * random.uniform()],
    shade: [across, down, -across * cx - down * cy],
  };
}

function paint(surface: Surface, x: number, y: number, pixels: Float32Array, i: number, plane: number): void {
  const { color, tint, amplitude, pattern, u, v, shade } = surface;
  const p = u[0] * x + u[1] * y + u[2];
  const q = v[0] * x + v[1] * y + v[2];
  const value = amplitude * relief(pattern, noiseAt(surface.tile, p, q), p, q);
  const light = shade[0] * x + shade[1] * y + shade[2];
  for (let c = 0; c < 3; c++) pixels[c * plane + i] = color[c]! + tint[c]! * value + light;
}

/** What a pattern makes of noise: itself, blotches, ridges, wavy stripes, checks. */
function relief(pattern: number, noise: number, p: number, q: number): number {
  if (pattern === 1) return 1.2 * Math.tanh(5 * noise);
  if (pattern === 2) return 1.6 - 2.4 * Math.abs(noise);
  if (pattern === 3) return 1.3 * Math.tanh(2 * Math.sin(0.5 * p + 1.2 * noise)) + 0.4 * noise;
  if (pattern === 4) return 1.2 * Math.tanh(4 * Math.sin(0.35 * p) * Math.sin(0.35 * q)) + 0.4 * noise;
  return noise;
}

/** The tile between its pixels, bilinear. */
function noiseAt(tile: Float32Array, p: number, q: number): number {
  const [left, top] = [Math.floor(p), Math.floor(q)];
  const [fx, fy] = [p - left, q - top];
  const mask = tileSide - 1;
  const [x0, x1] = [left & mask, (left + 1) & mask];
  const [y0, y1] = [(top & mask) * tileSide, ((top + 1) & mask) * tileSide];
  const upper = tile[y0 + x0]! + fx * (tile[y0 + x1]! - tile[y0 + x0]!);
  const lower = tile[y1 + x0]! + fx * (tile[y1 + x1]! - tile[y1 + x0]!);
  return upper + fy * (lower - upper);
}

/** Each pixel mixed with the mean of its two neighbours, along both axes: `(1-s)·x + s·(x₋ + x₊)/2`. */
function blur(image: Float32Array, kept: Float32Array, side: number, s: number): void {
  for (const [step, line] of [
    [1, side],
    [side, 1],
  ] as const) {
    kept.set(image);
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) {
        const at = i * line + j * step;
        const before = kept[j > 0 ? at - step : at]!;
        const after = kept[j < side - 1 ? at + step : at]!;
        image[at] = (1 - s) * kept[at]! + (s * (before + after)) / 2;
      }
  }
}
