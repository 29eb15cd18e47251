/** Convolutions whose maps are large and only pooled: each part is pooled as soon as it is there, and the maps never are as a whole. */
import { attribute, type Build, behind, type Place } from "../build.ts";
import type { Stored } from "../stored.ts";
import { channelsAtOnce } from "./_parts.ts";
import { windowOf } from "./_window.ts";
import { poolOf } from "./pool.ts";

/**
 * Puts the steps of a dense convolution that writes `value`, and of the MaxPool that alone reads it; false where that is not so. `from`
 * and `map` are what the kernel takes first and last.
 */
export function addPooledConv(
  build: Build,
  value: number,
  from: readonly [src: Place, offsets: Place, count: number],
  weights: Stored,
  biases: Place,
  map: readonly [oh: number, ow: number, rowBytes: number, lo: number, hi: number],
): boolean {
  const node = build.onlyReader(value);
  const isAlone = node?.op === "MaxPool" && node.domain === "" && !node.outputs.slice(1).some((output) => output >= 0);
  const channels = build.shape(value)[1]!;
  const bytes = (4 * build.size(value)) / channels;
  const several = channelsAtOnce(channels, bytes);
  if (!isAlone || several === undefined) return false;
  build.fused.add(node);
  const pool = poolOf(build, node, windowOf(build, node, attribute(node, "kernel_shape", [1])));
  const count = from[2];
  const rows = build.putRows(weights, channels, count);
  for (let first = 0; first < channels; first += several) {
    const some = Math.min(several, channels - first);
    const dst = build.scratch(bytes * some);
    build.call("conv", ...from, behind(rows, 4 * first * count), behind(biases, 4 * first), 0, dst, some, ...map);
    pool(dst, first, some);
  }
  return true;
}
