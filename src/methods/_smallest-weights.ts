/** Which elements of weights are nearest to zero. */
import type { LayerWeight } from "./_layer-weights.ts";

/** What goes of some weights. */
export interface Smallest {
  /** 1 where an element goes, an array for each weight. */
  readonly removed: readonly Uint8Array[];
  /** The largest magnitude that goes; -1 where none does. */
  readonly border: number;
}

/** The `count` smallest elements of all `weights` together; of equal ones at the border those that come first. */
export function smallest(weights: readonly LayerWeight[], count: number): Smallest {
  const sizes = weights.map(({ tensor }) => tensor.data.length);
  const magnitudes = new Float32Array(sizes.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const { tensor } of weights) {
    for (const [i, value] of tensor.data.entries()) magnitudes[at + i] = Math.abs(value);
    at += tensor.data.length;
  }
  const border = magnitudes.toSorted()[count - 1] ?? -1;
  let equal = count - magnitudes.reduce((below, value) => below + (value < border ? 1 : 0), 0);
  const all = Uint8Array.from(magnitudes, (value) => (value < border || (value === border && equal-- > 0) ? 1 : 0));
  let end = 0;
  const removed = sizes.map((size) => {
    end += size;
    return all.subarray(end - size, end);
  });
  return { removed, border };
}

/** How many elements of a weight its layers read as zero. */
export function countZeros({ tensor, regrowing }: LayerWeight): number {
  const border = regrowing?.threshold ?? 0;
  return tensor.data.reduce((sum, value) => sum + (Math.abs(value) <= border ? 1 : 0), 0);
}
