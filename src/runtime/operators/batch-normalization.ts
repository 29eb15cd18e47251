/** BatchNormalization that no convolution took: a product and a sum for each channel. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import { closing } from "./_bounds.ts";
import { oneImage } from "./_window.ts";

export function addBatchNormalization(build: Build, node: ProgramNode): void {
  const x = node.inputs[0]!;
  const { slopes, shifts } = channelMap(build, node);
  const map = [slopes.length, build.size(x) / slopes.length, 1] as const;
  const src = build.read(x);
  const { output, lo, hi } = closing(build, node.outputs[0]!, { residual: false });
  const dst = build.write(output);
  const open = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
  build.call("arithmetic", 2, src, build.put(slopes), dst, ...map, ...open);
  build.call("arithmetic", 0, dst, build.put(shifts), dst, ...map, lo, hi);
}

/** A normalization as `slope · x + shift` of each channel. */
export function channelMap(build: Build, node: ProgramNode) {
  const [x, ...statistics] = node.inputs as [number, number, number, number, number];
  const shape = build.shape(x);
  oneImage(node, shape);
  build.output(node, shape);
  if (statistics.length !== 4 || statistics.some((value) => String(build.shape(value)) !== String(shape[1])))
    throw badFile(`BatchNormalization of ${shape[1]} channels by other numbers of statistics`);
  const [scale, bias, mean, variance] = statistics.map((value) => build.constant(value));
  const epsilon = attribute(node, "epsilon", 1e-5);
  const slopes = Float32Array.from(scale!, (s, c) => s / Math.sqrt(variance![c]! + epsilon));
  return { slopes, shifts: Float32Array.from(bias!, (b, c) => b - mean![c]! * slopes[c]!) };
}
