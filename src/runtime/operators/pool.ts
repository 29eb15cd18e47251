/** MaxPool and AveragePool, and both over the whole image. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, unsupported } from "../build.ts";
import type { Window } from "../kernels/pack.ts";
import { spreadInput, windowOf } from "./_window.ts";

export function addPool(build: Build, node: ProgramNode): void {
  if (node.outputs.length > 1) throw unsupported("MaxPool's indices");
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
    let count = 0;
    for (let tap = 0; tap < kernel[axis]; tap++) {
      const place = at * strides[axis] + tap * dilations[axis] - before;
      if (padded ? place < size + after[axis]! : place >= 0 && place < size) count++;
    }
    return count;
  };
  return Float32Array.from({ length: oh * ow }, (_, i) => 1 / (along(Math.floor(i / ow), 0) * along(i % ow, 1)));
}

export function addGlobalAveragePool(build: Build, { inputs, outputs }: ProgramNode): void {
  const channels = build.size(outputs[0]!);
  build.call(
    "globalAverage",
    build.read(inputs[0]!),
    build.write(outputs[0]!),
    channels,
    build.size(inputs[0]!) / channels,
  );
}

export function addGlobalMaxPool(build: Build, { inputs, outputs }: ProgramNode): void {
  const channels = build.size(outputs[0]!);
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
