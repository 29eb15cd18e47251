/** AveragePool over windows, and GlobalMaxPool. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import type { Window } from "../kernels/pack.ts";
import { addPool, planesOf } from "./pool.ts";

export function addAnyPool(build: Build, node: ProgramNode): void {
  addPool(build, node, scalesOf);
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
