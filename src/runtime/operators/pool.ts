/** MaxPool, and averages over the whole image. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import type { Window } from "../kernels/pack.ts";
import { spreadInput, windowOf } from "./_window.ts";

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
  const { planes, src } = spreadInput(build, node, window, isMax ? Number.NEGATIVE_INFINITY : 0);
  const { taps, channelBytes, oh, ow, rowBytes } = planes;
  const scales = isMax ? 0 : build.put(scalesOf!(window, node));
  const channels = build.shape(node.inputs[0]!)[1]!;
  build.output(node, [1, channels, ...build.shape(node.outputs[0]!).slice(2)]);
  const dst = build.write(node.outputs[0]!);
  build.call("pool", src, build.put(taps), taps.length, scales, dst, channels, channelBytes, oh, ow, rowBytes);
  return true;
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
