/** Conv: dense, depthwise, sparse where few weights are left, or by indices; with bias, a residual sum and bounds in the kernel. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind } from "../build.ts";
import { layPlanes, tapOffsets } from "../kernels/pack.ts";
import { gatheredBytes, isCrowded, isSparse, packSparse } from "../kernels/pack-sparse.ts";
import { floatsOf, partOf } from "../stored.ts";
import { closing } from "./_bounds.ts";
import { addPooledConv } from "./_pooled-conv.ts";
import { checkConv, spreadInput, windowOf } from "./_window.ts";

export function addConv(build: Build, node: ProgramNode): void {
  checkConv(build, node);
  const [, weight, bias = -1] = node.inputs as [number, number, number?];
  const [outputs, perGroup, ...kernel] = build.shape(weight) as [number, number, ...number[]];
  const window = windowOf(build, node, kernel);
  if (build.takes(node)) return;
  const weights = build.stored(weight);
  const group = attribute(node, "group", 1);
  const sparse = isSparse(weights);
  const gathers = group === 1 && sparse && isCrowded(window);
  const { planes, src } = spreadInput(
    build,
    node,
    window,
    0,
    layPlanes(window, gathers ? Number.POSITIVE_INFINITY : undefined),
  );
  const { output, residual, lo, hi } = closing(build, node.outputs[0]!);
  const biases = build.put(bias < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(bias)));
  const { oh, ow, rowBytes, channelBytes, taps } = planes;
  if (perGroup === 1 && group > 1) {
    const channel = [outputs, outputs / group, channelBytes, oh, ow, rowBytes, lo, hi] as const;
    build.call(
      "depthwise",
      src,
      build.put(taps),
      taps.length,
      build.put(floatsOf(weights)),
      biases,
      residual,
      build.write(output),
      ...channel,
    );
    return;
  }
  if (gathers) {
    const room = build.scratch(perGroup * gatheredBytes);
    const stream = build.put(
      packSparse(floatsOf(weights), outputs, tapOffsets({ ...planes, channelBytes: gatheredBytes }, perGroup)),
    );
    const close = [biases, residual, build.write(output), outputs, oh, ow, rowBytes, lo, hi] as const;
    build.call("sparseConv", src, stream, ...close, room, perGroup, channelBytes);
    return;
  }
  const offsets = tapOffsets(planes, perGroup);
  const offsetsAt = build.put(offsets);
  const [own, count] = [outputs / group, offsets.length];
  const { codebook } = build.forms;
  const book = sparse ? undefined : codebook?.bookOfConv(build, weight, oh * ow);
  const isPlain = group === 1 && !sparse && !book && residual === 0;
  const map = [oh, ow, rowBytes, lo, hi] as const;
  if (isPlain && addPooledConv(build, output, [src, offsetsAt, count], weights, biases, map)) return;
  const dst = build.write(output);
  for (let g = 0; g < group; g++) {
    const part = partOf(weights, g * own * count, own * count);
    const from = behind(src, g * perGroup * channelBytes);
    const plane = g * own * oh * ow * 4;
    const beside = typeof residual === "number" ? 0 : behind(residual, plane);
    const rest = [behind(biases, 4 * g * own), beside, behind(dst, plane), own, ...map] as const;
    if (group === 1 ? sparse : isSparse(part))
      build.call("sparseConv", from, build.put(packSparse(floatsOf(part), own, offsets)), ...rest);
    else if (book) codebook!.convolveByBook(build, book, g * own, from, offsetsAt, count, rest);
    else build.call("conv", from, offsetsAt, count, build.putRows(part, own, count), ...rest);
  }
}
