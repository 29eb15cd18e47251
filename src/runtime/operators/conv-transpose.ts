/**
 * ConvTranspose as the convolution that it is: the input with `stride - 1` zeros between its elements, padded, under the kernel
 * turned round. Weights are (C, O / group, kh, kw).
 */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind, sizeOf, unsupported } from "../build.ts";
import { layPlanes, tapOffsets } from "../kernels/pack.ts";
import { storedOf } from "../stored.ts";
import { addCopy, indicesOf } from "./_copy.ts";
import { oneImage, sizesOf } from "./_window.ts";

export function addConvTranspose(build: Build, node: ProgramNode): void {
  const [x, weight, bias = -1] = node.inputs as [number, number, number?];
  const [input, [channels, own, ...kernel]] = [build.shape(x), build.shape(weight) as [number, number, ...number[]]];
  const group = attribute(node, "group", 1);
  const rank = kernel.length;
  if (rank < 1 || rank > 2) throw unsupported(`ConvTranspose over ${rank} axes`);
  oneImage(node, input);
  const whole = Number.isInteger(group) && group > 0 && channels % group === 0 && sizeOf(kernel) > 0;
  if (!whole || input[1] !== channels || input.length !== rank + 2 || (bias >= 0 && build.size(bias) !== own * group))
    throw badFile(`ConvTranspose of (${input}) by (${build.shape(weight)}) in ${group} groups`);
  const { output, strides, dilations, before } = geometryOf(node, input.slice(2), kernel);
  const y = build.output(node, [1, own * group, ...output]);
  const two = (values: readonly number[], one: number) => (rank === 1 ? [one, values[0]!] : values) as [number, number];
  const [kh, kw] = two(kernel, 1);
  const [oh, ow] = two(output, 1);
  const spaced = input.slice(2).map((size, axis) => (size - 1) * strides[axis]! + 1);
  const [h, w] = two(spaced, 1);
  const zeros = [1, channels, ...spaced];
  let src = build.read(x);
  if (strides.some((stride) => stride > 1)) {
    const between = build.scratch(4 * sizeOf(zeros));
    const source = (at: readonly number[]) => at.map((place, axis) => (axis < 2 ? place : place / strides[axis - 2]!));
    addCopy(build, src, between, indicesOf(build, input, zeros, source));
    src = between;
  }
  const [top, left] = two(
    kernel.map((size, axis) => (size - 1) * dilations[axis]! - before[axis]!),
    0,
  );
  build.hold(4 * kh * kw);
  const window = { h, w, oh, ow, kernel: [kh, kw], strides: [1, 1], dilations: two(dilations, 1), top, left } as const;
  const planes = layPlanes(window);
  if (planes.spread) {
    const padded = build.scratch(channels * planes.channelBytes);
    build.call("spread", src, padded, channels, ...planes.spread, 0);
    src = padded;
  }
  const dst = build.write(y);
  const biases = build.put(bias < 0 ? new Float32Array(own * group) : Float32Array.from(build.constant(bias)));
  const weights = build.constant(weight);
  const [perGroup, taps] = [channels / group, kh * kw];
  const offsets = tapOffsets(planes, perGroup);
  const offsetsAt = build.put(offsets);
  for (let g = 0; g < group; g++) {
    const turned = Float32Array.from({ length: own * offsets.length }, (_, i) => {
      const [o, c] = [Math.floor(i / offsets.length), Math.floor(i / taps) % perGroup];
      return weights[((g * perGroup + c) * own + o) * taps + taps - 1 - (i % taps)]!;
    });
    build.call(
      "conv",
      behind(src, g * perGroup * planes.channelBytes),
      offsetsAt,
      offsets.length,
      build.putRows(storedOf(turned), own, offsets.length),
      behind(biases, 4 * g * own),
      0,
      behind(dst, 4 * g * own * oh * ow),
      own,
      planes.oh,
      planes.ow,
      planes.rowBytes,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    );
  }
}

/** The output's size along each axis, and how many of its elements are cut off before the first. */
function geometryOf(node: ProgramNode, input: readonly number[], kernel: readonly number[]) {
  const rank = kernel.length;
  const [strides, dilations] = [sizesOf(node, "strides", rank, 1), sizesOf(node, "dilations", rank, 1)];
  const [pads, more] = [sizesOf(node, "pads", 2 * rank, 0), sizesOf(node, "output_padding", rank, 0)];
  if (more.some((size, i) => size >= Math.max(strides[i]!, dilations[i]!))) throw badFile(`output_padding of ${more}`);
  const auto = attribute(node, "auto_pad", "NOTSET");
  const given = attribute(node, "output_shape", []);
  const covered = input.map((size, i) => (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 + more[i]!);
  if (given.length === 0 && (auto === "NOTSET" || auto === "VALID")) {
    const cut = auto === "VALID" ? pads.map(() => 0) : pads;
    return { strides, dilations, before: cut, output: covered.map((size, i) => size - cut[i]! - cut[i + rank]!) };
  }
  const output = given.length > 0 ? given : input.map((size, i) => size * strides[i]!);
  const before = covered.map((size, i) => {
    const total = Math.max(size - output[i]!, 0) / 2;
    return auto === "SAME_UPPER" ? Math.floor(total) : Math.ceil(total);
  });
  return { strides, dilations, before, output };
}
