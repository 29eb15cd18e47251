/** Sliding windows of nodes over planes of their input. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, type Place, unsupported } from "../build.ts";
import { layPlanes, type Planes, type Window } from "../kernels/pack.ts";

/** The window of a node, whose taps are `kernel`. */
export function windowOf(build: Build, node: ProgramNode, kernel: readonly number[]): Window {
  const [input, output] = [build.shape(node.inputs[0]!), build.shape(node.outputs[0]!)];
  if (input.length < 3 || input.length > 4) throw unsupported(`${node.op} over ${input.length - 2} axes`);
  if (input[0] !== 1) throw unsupported(`${node.op} of a fixed batch of ${input[0]}`);
  // One axis is a plane of one row.
  const two = (values: readonly number[], one: number) =>
    (values.length === 1 ? [one, values[0]!] : values) as [number, number];
  const spatial = kernel.map(() => 1);
  const [h, w] = two(input.slice(2), 1);
  const [oh, ow] = two(output.slice(2), 1);
  const taps = two(kernel, 1);
  const strides = two(attribute(node, "strides", spatial), 1);
  const dilations = two(attribute(node, "dilations", spatial), 1);
  const auto = attribute(node, "auto_pad", "NOTSET");
  const pads = attribute(
    node,
    "pads",
    [...spatial, ...spatial].map(() => 0),
  );
  const before = two(pads.slice(0, kernel.length), 0).map((pad, axis) => {
    if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") return auto === "VALID" ? 0 : pad;
    const span = ([oh, ow][axis]! - 1) * strides[axis]! + (taps[axis]! - 1) * dilations[axis]! + 1 - [h, w][axis]!;
    return auto === "SAME_UPPER" ? Math.floor(Math.max(span, 0) / 2) : Math.ceil(Math.max(span, 0) / 2);
  });
  return { h, w, oh, ow, kernel: taps, strides, dilations, top: before[0]!, left: before[1]! };
}

/** The planes of a window over the node's input, spread out where they must be, with `fill` beside the image. */
export function spreadInput(
  build: Build,
  node: ProgramNode,
  window: Window,
  fill: number,
  planes = layPlanes(window),
): { readonly planes: Planes; readonly src: Place } {
  const input = build.read(node.inputs[0]!);
  if (planes.spread === undefined) return { planes, src: input };
  const channels = build.shape(node.inputs[0]!)[1]!;
  const src = build.scratch(channels * planes.channelBytes);
  build.call("spread", input, src, channels, ...planes.spread, fill);
  return { planes, src };
}
