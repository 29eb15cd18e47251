/**
 * QuantizeLinear and DequantizeLinear that no integer layer took. Constants are dequantized when the network is loaded; other values
 * where a step on floats reads them, and never where all that read them are integer layers.
 */
import type { ProgramNode } from "../../format/read.ts";
import { type Build, behind, unsupported } from "../build.ts";
import { quantization, type Scales, scaleIndex, scalesOf } from "./_quantization.ts";

export function addQuantize(build: Build, node: ProgramNode): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const found = constantScales(build, node);
  const src = build.read(x);
  const dst = build.write(y);
  for (const { at, count, scale, zero } of runsOf(build, y, found)) {
    const { lo, hi } = quantization(build, y, scale, zero);
    build.call("quantize", behind(src, 4 * at), behind(dst, at), count, scale, zero, lo, hi);
  }
}

export function addDequantize(build: Build, node: ProgramNode): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const found = constantScales(build, node);
  const { scales, zeros } = found;
  const of = scaleIndex(build, x, found);
  if (build.isConstant(x))
    build.fold(y, () => Float32Array.from(build.constant(x), (value, i) => (value - zeros[of(i)]!) * scales[of(i)]!));
  else
    build.defer(y, () => {
      const src = build.read(x);
      const dst = build.write(y);
      for (const { at, count, scale, zero } of runsOf(build, x, found)) {
        const { flip, unsignedZero } = quantization(build, x, scale, zero);
        build.call("dequantize", behind(src, at), behind(dst, 4 * at), count, scale, flip, unsignedZero);
      }
    });
}

function constantScales(build: Build, node: ProgramNode): Scales {
  const found = scalesOf(build, node);
  if (found === undefined) throw unsupported(`${node.op} with scales that are computed or stand for blocks`);
  return found;
}

/** Runs of elements that share a scale. */
function* runsOf(build: Build, value: number, found: Scales) {
  if (!build.isByte(value)) throw unsupported("quantized values of other than 8 bits");
  const { scales, zeros, axis } = found;
  const size = build.size(value);
  const count =
    scales.length === 1
      ? size
      : build
          .shape(value)
          .slice(axis + 1)
          .reduce((a, b) => a * b, 1);
  for (let at = 0, c = 0; at < size; at += count, c = (c + 1) % scales.length)
    yield { at, count, scale: scales[c]!, zero: zeros[c]! };
}
