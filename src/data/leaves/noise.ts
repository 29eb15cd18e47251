/**
 * Noise with the spectrum of natural images: amplitude 1/f, power 1/f² (Field 1987), in tiles that repeat without a seam. Each octave
 * is a grid of random numbers of twice the fineness, smoothly interpolated, at the same amplitude; octaves of one
 * amplitude have power 1/f² over the plane.
 */
import type { Random } from "../../tensor/random.ts";

/** Side of a tile, a power of two. */
export const tileSide = 256;

/** A tile `(tileSide, tileSide)` of mean 0 and variance 1. */
export function createNoiseTile(random: Random): Float32Array {
  const tile = new Float32Array(tileSide * tileSide);
  for (let cells = 2; cells <= tileSide / 2; cells *= 2) addOctave(tile, cells, random);
  const mean = tile.reduce((sum, value) => sum + value, 0) / tile.length;
  const variance = tile.reduce((sum, value) => sum + (value - mean) ** 2, 0) / tile.length;
  return tile.map((value) => (value - mean) / Math.sqrt(variance));
}

function addOctave(tile: Float32Array, cells: number, random: Random): void {
  const grid = Float32Array.from({ length: cells * cells }, () => random.normal());
  const width = tileSide / cells;
  const ease = Float32Array.from({ length: width }, (_, i) => (i / width) ** 2 * (3 - (2 * i) / width));
  for (let y = 0; y < tileSide; y++) {
    const row = Math.floor(y / width);
    const above = row * cells;
    const below = ((row + 1) % cells) * cells;
    const down = ease[y % width]!;
    for (let x = 0; x < tileSide; x++) {
      const left = Math.floor(x / width);
      const right = (left + 1) % cells;
      const across = ease[x % width]!;
      const top = grid[above + left]! + across * (grid[above + right]! - grid[above + left]!);
      const bottom = grid[below + left]! + across * (grid[below + right]! - grid[below + left]!);
      tile[y * tileSide + x]! += top + down * (bottom - top);
    }
  }
}
