/** MaxPool and AveragePool, and both over the whole image. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import type { Window } from "../kernels/pack.ts";
import { spreadInput, windowOf } from "./_window.ts";

export function addPool(build: Build, node: ProgramNode): void {
  const isMax = node.op === "MaxPool";
  const window = windowOf(build, node, attribute(node, "kernel_shape", [1]));
  const { h, w, kernel, top, left } = window;
  const isWhole = window.oh * window.ow === 1 && top + left === 0 && kernel[0] === h && kernel[1] === w;
  if (!isMax && isWhole) {
    addGlobalAveragePool(build, node);
    return;
  }
  const { planes, src } = spreadInput(build, node, window, isMax ? Number.NEGATIVE_INFINITY : 0);
  const { taps, channelBytes, oh, ow, rowBytes } = planes;
  const scales = isMax ? 0 : build.put(scalesOf(window, node));
  const channels = build.shape(node.inputs[0]!)[1]!;
  build.output(node, [1, channels, ...build.shape(node.outputs[0]!).slice(2)]);
  const dst = build.write(node.outputs[0]!);
  build.call("pool", src, build.put(taps), taps.length, scales, dst, channels, channelBytes, oh, ow, rowBytes);
}

/** One over the pixels that count at each place: those of the image, or with `count_include_pad` those of the padded image. */
function scalesOf({ h, w, oh, ow, kernel, strides, dilations, top, left }: Window, node: ProgramNode): Float32Array {
  const padded = attribute(node, "count_include_pad", 0) === 1;
  const pads = attribute(node, "pads", [0, 0, 0, 0]);
  const after = pads.length === 4 ? [pads[2]!, pads[3]!] : [0, pads[1]!];
  const along = (at: number, axis: 0 | 1) => {
    const [before, size] = axis === 0 ? [top, h] : [left, w];
    const first = at * strides[axis] - before;
    /** Taps that lie before `end`. */
    const until = (end: number) => Math.min(Math.max(Math.ceil((end - first) / dilations[axis]), 0), kernel[axis]);
    return padded ? until(size + after[axis]!) : until(size) - until(0);
  };
  return Float32Array.from({ length: oh * ow }, (_, i) => 1 / (along(Math.floor(i / ow), 0) * along(i % ow, 1)));
}

/** Batch times channels of a pool over all that is behind them. */
function planesOf(build: Build, node: ProgramNode): number {
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

export function addGlobalMaxPool(build: Build, node: ProgramNode): void {
  const { inputs, outputs } = node;
  const channels = planesOf(build, node);
  const count = build.size(inputs[0]!) / channels;
  const src = build.read(inputs[0]!);
  build.act(
    (memory, from, to) => {
      for (let c = 0; c < channels; c++) {
        let most = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < count; i++) most = Math.max(most, memory[from / 4 + c * count + i]!);
        memory[to / 4 + c] = most;
      }
    },
    src,
    build.write(outputs[0]!),
  );
}
