/** Sliding windows of nodes over planes of their input. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build, type Place, sizeOf, unsupported } from "../build.ts";
import { layPlanes, type Planes, type Window } from "../kernels/pack.ts";

const autoPads = ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"];

/** The window of a node, whose taps are `kernel`. @throws where strides, dilations, pads and shapes are not those of a window. */
export function windowOf(build: Build, node: ProgramNode, kernel: readonly number[]): Window {
  const [input, output] = [build.shape(node.inputs[0]!), build.shape(node.outputs[0]!)];
  const rank = input.length - 2;
  if (rank < 1 || rank > 2) throw unsupported(`${node.op} over ${rank} axes`);
  oneImage(node, input);
  const [strides, dilations] = [sizesOf(node, "strides", rank, 1), sizesOf(node, "dilations", rank, 1)];
  const auto = attribute(node, "auto_pad", "NOTSET");
  if (!autoPads.includes(auto)) throw badFile(`auto_pad ${auto}`);
  const pads = auto === "NOTSET" ? sizesOf(node, "pads", 2 * rank, 0) : Array<number>(2 * rank).fill(0);
  const round = attribute(node, "ceil_mode", 0) ? Math.ceil : Math.floor;
  const before = pads.slice(0, rank);
  const spatial = input.slice(2).map((size, axis) => {
    const [stride, pad] = [strides[axis]!, pads[axis]!];
    const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
    if (auto.startsWith("SAME")) {
      const count = Math.ceil(size / stride);
      const added = Math.max((count - 1) * stride + reach - size, 0) / 2;
      before[axis] = auto === "SAME_UPPER" ? Math.floor(added) : Math.ceil(added);
      return count;
    }
    const count = round((size + pad + pads[axis + rank]! - reach) / stride) + 1;
    // No window begins behind the image.
    return round === Math.ceil && (count - 1) * stride >= size + pad ? count - 1 : count;
  });
  const fits = kernel.length === rank && kernel.every((size) => Number.isInteger(size) && size > 0);
  if (!fits || String(spatial) !== String(output.slice(2)))
    throw badFile(`${node.op} of (${input}) with a kernel of ${kernel} gives (${output}) for (${spatial})`);
  build.hold(4 * sizeOf(kernel));
  // One axis is a plane of one row.
  const two = (values: readonly number[], one: number) =>
    (rank === 1 ? [one, values[0]!] : values) as readonly [number, number];
  const [[h, w], [oh, ow], [top, left]] = [two(input.slice(2), 1), two(output.slice(2), 1), two(before, 0)];
  return { h, w, oh, ow, kernel: two(kernel, 1), strides: two(strides, 1), dilations: two(dilations, 1), top, left };
}

/** @throws where a batch larger than 1 is part of the shape. */
export function oneImage({ op }: ProgramNode, [batch]: readonly number[]): void {
  if (batch !== 1) throw unsupported(`${op} of a fixed batch of ${batch}`);
}

/** The list of an attribute, of `count` integers of at least `least`, which it is filled with where the node leaves it out. */
export function sizesOf(node: ProgramNode, name: string, count: number, least: number): readonly number[] {
  const list = attribute(node, name, Array<number>(count).fill(least));
  if (list.length !== count || !list.every((size) => Number.isInteger(size) && size >= least))
    throw badFile(`${node.op} with ${name} of ${list}`);
  return list;
}

/** @throws where the shapes of a Conv's input, weight, bias and output do not go together. */
export function checkConv(build: Build, node: ProgramNode): void {
  const [input, weight, output] = [node.inputs[0]!, node.inputs[1]!, node.outputs[0]!].map((value) =>
    build.shape(value),
  );
  const group = attribute(node, "group", 1);
  const [outputs, perGroup] = weight as [number, number];
  const bias = node.inputs[2] ?? -1;
  if (
    input!.length !== weight!.length ||
    !(
      Number.isInteger(group) &&
      perGroup > 0 &&
      outputs % group === 0 &&
      input![1] === perGroup * group &&
      output![1] === outputs
    ) ||
    output![0] !== input![0] ||
    output!.length !== input!.length ||
    (bias >= 0 && build.size(bias) !== outputs)
  )
    throw badFile(`Conv of (${input}) by (${weight}) in ${group} groups gives (${output})`);
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
