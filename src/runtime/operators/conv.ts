/** Conv: dense, depthwise, sparse where few weights are left, or by indices; with bias, a residual sum and bounds in the kernel. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind, unsupported } from "../build.ts";
import { gatheredBytes, isCrowded, layPlanes, packSparse, packWeights, tapOffsets } from "../kernels/pack.ts";
import { closing } from "./_bounds.ts";
import { checkConv, spreadInput, windowOf } from "./_window.ts";

/** Up to this share of weights that are not zero the sparse kernel is the faster. */
export const sparseDensity = 0.4;

/** Whether so few weights are left that the sparse kernels are faster; of many weights every seventh is looked at. */
export function isSparse(weights: Float32Array): boolean {
  const step = weights.length < 4096 ? 1 : 7;
  let left = 0;
  for (let i = 0; i < weights.length; i += step) if (weights[i] !== 0) left++;
  return left * step <= sparseDensity * weights.length;
}

export function addConv(build: Build, node: ProgramNode): void {
  checkConv(build, node);
  const [, weight, bias = -1] = node.inputs as [number, number, number?];
  const [outputs, perGroup, ...kernel] = build.shape(weight) as [number, number, ...number[]];
  const window = windowOf(build, node, kernel);
  if (build.takes(node)) return;
  const weights = build.constant(weight);
  if (!(weights instanceof Float32Array)) throw unsupported("weights that are no float32");
  const gathers = attribute(node, "group", 1) === 1 && isCrowded(window) && isSparse(weights);
  const { planes, src } = spreadInput(
    build,
    node,
    window,
    0,
    layPlanes(window, gathers ? Number.POSITIVE_INFINITY : undefined),
  );
  const { output, residual, lo, hi } = closing(build, node.outputs[0]!);
  const dst = build.write(output);
  const biases = build.put(bias < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(bias)));
  const { oh, ow, rowBytes, channelBytes, taps } = planes;
  const group = attribute(node, "group", 1);
  if (perGroup === 1 && group > 1) {
    const channel = [outputs, outputs / group, channelBytes, oh, ow, rowBytes, lo, hi] as const;
    build.call("depthwise", src, build.put(taps), taps.length, build.put(weights), biases, residual, dst, ...channel);
    return;
  }
  if (gathers) {
    const room = build.scratch(perGroup * gatheredBytes);
    const stream = build.put(
      packSparse(weights, outputs, tapOffsets({ ...planes, channelBytes: gatheredBytes }, perGroup)),
    );
    const close = [biases, residual, dst, outputs, oh, ow, rowBytes, lo, hi] as const;
    build.call("sparseConv", src, stream, ...close, room, perGroup, channelBytes);
    return;
  }
  const offsets = tapOffsets(planes, perGroup);
  const offsetsAt = build.put(offsets);
  const [own, count] = [outputs / group, offsets.length];
  const { codebook } = build.forms;
  const book = isSparse(weights) ? undefined : codebook?.bookOfConv(build, weight, oh * ow);
  for (let g = 0; g < group; g++) {
    const part = weights.subarray(g * own * count, (g + 1) * own * count);
    const from = behind(src, g * perGroup * channelBytes);
    const map = g * own * oh * ow * 4;
    const beside = typeof residual === "number" ? 0 : behind(residual, map);
    const rest = [behind(biases, 4 * g * own), beside, behind(dst, map), own, oh, ow, rowBytes, lo, hi] as const;
    if (isSparse(part)) build.call("sparseConv", from, build.put(packSparse(part, own, offsets)), ...rest);
    else if (book) codebook!.convolveByBook(build, book, g * own, from, offsetsAt, count, rest);
    else build.call("conv", from, offsetsAt, count, build.put(packWeights(part, own, count)), ...rest);
  }
}
