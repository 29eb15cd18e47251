/** MaxPool, and averages over the whole image. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind, type Place } from "../build.ts";
import { layPlanes, type Window } from "../kernels/pack.ts";
import { channelsAtOnce } from "./_parts.ts";
import { windowOf } from "./_window.ts";

/** One over the number of pixels that count at each place of an AveragePool. */
type Scales = (window: Window, node: ProgramNode) => Float32Array;

/** @returns false for an AveragePool over less than the image, where `scalesOf` is not given. */
export function addPool(build: Build, node: ProgramNode, scalesOf?: Scales): boolean {
  const isMax = node.op === "MaxPool";
  const window = windowOf(build, node, attribute(node, "kernel_shape", [1]));
  const { h, w, kernel, top, left } = window;
  const isWhole = window.oh * window.ow === 1 && top + left === 0 && kernel[0] === h && kernel[1] === w;
  if (!isMax && isWhole) {
    addGlobalAveragePool(build, node);
    return true;
  }
  if (!isMax && !scalesOf) return false;
  const src = build.read(node.inputs[0]!);
  const pool = poolOf(build, node, window, isMax ? undefined : scalesOf!(window, node));
  const channels = build.shape(node.inputs[0]!)[1]!;
  const several = channelsAtOnce(channels, 4 * h * w) ?? channels;
  for (let first = 0; first < channels; first += several)
    pool(behind(src, 4 * h * w * first), first, Math.min(several, channels - first));
  return true;
}

/** Puts the steps of a pool for `count` channels from `first` on, whose input lies at `src`. */
export type Pool = (src: Place, first: number, count: number) => void;

/** A pool for all channels; of the largest elements where no scales are given. */
export function poolOf(build: Build, node: ProgramNode, window: Window, scales?: Float32Array): Pool {
  const { taps, channelBytes, oh, ow, rowBytes, spread } = layPlanes(window);
  const output = build.output(node, [1, build.shape(node.inputs[0]!)[1]!, ...build.shape(node.outputs[0]!).slice(2)]);
  const [tapsAt, scalesAt, dst] = [build.put(taps), scales ? build.put(scales) : 0, build.write(output)];
  return (src, first, count) => {
    const planes = spread ? build.scratch(count * channelBytes) : src;
    if (spread) build.call("spread", src, planes, count, ...spread, scales ? 0 : Number.NEGATIVE_INFINITY);
    const to = behind(dst, 4 * oh * ow * first);
    build.call("pool", planes, tapsAt, taps.length, scalesAt, to, count, channelBytes, oh, ow, rowBytes);
  };
}

/** Batch times channels of a pool over all that is behind them. */
export function planesOf(build: Build, node: ProgramNode): number {
  const shape = build.shape(node.inputs[0]!);
  return build.size(
    build.output(
      node,
      shape.map((size, axis) => (axis < 2 ? size : 1)),
    ),
  );
}

export function addGlobalAveragePool(build: Build, node: ProgramNode): void {
  const { inputs, outputs } = node;
  const channels = planesOf(build, node);
  build.call(
    "globalAverage",
    build.read(inputs[0]!),
    build.write(outputs[0]!),
    channels,
    build.size(inputs[0]!) / channels,
  );
}
