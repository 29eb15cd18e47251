/** ReduceMean over the channels, or over all that comes behind them. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, unsupported } from "../build.ts";

export function addReduceMean(build: Build, node: ProgramNode): void {
  const x = node.inputs[0]!;
  const [, channels = 1, ...rest] = build.shape(x);
  const pixels = rest.reduce((product, size) => product * size, 1);
  const axes = attribute(node, "axes", []);
  const over = axes.map((axis) => (axis < 0 ? axis + rest.length + 2 : axis)).sort((a, b) => a - b);
  const src = build.read(x);
  if (String(over) === "1") {
    // One output whose weights are 1 / C.
    const share = new Int32Array(Float32Array.of(1 / channels).buffer)[0]!;
    const pairs = Array.from({ length: channels }, (_, c) => [4 * c * pixels, share]);
    const stream = build.put(Int32Array.of(channels, 0, ...pairs.flat()));
    const [zero, dst] = [build.put(new Float32Array(1)), build.write(node.outputs[0]!)];
    const open = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    build.call("sparseConv", src, stream, zero, 0, dst, 1, 1, pixels, 4 * pixels, ...open);
  } else if (over.length > 0 && String(over) === String(rest.map((_, i) => i + 2)))
    build.call("globalAverage", src, build.write(node.outputs[0]!), channels, pixels);
  else throw unsupported(`ReduceMean over axes ${axes}`);
}
