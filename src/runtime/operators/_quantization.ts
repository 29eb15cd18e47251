/** What QuantizeLinear and DequantizeLinear say of 8-bit numbers: q stands for `x = (q - zero) scale`. */
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";

/** The constants of a node, one pair or one for each index of `axis`. */
export interface Scales {
  readonly scales: ArrayLike<number>;
  /** As many as scales. */
  readonly zeros: ArrayLike<number>;
  readonly axis: number;
}

/** The constants of a node; undefined where they are computed, or stand for blocks. */
export function scalesOf(build: Build, { inputs, attributes }: ProgramNode): Scales | undefined {
  const [x, scale, zero = -1] = inputs as [number, number, number?];
  if (!build.isConstant(scale) || (zero >= 0 && !build.isConstant(zero)) || attributes.block_size?.value) return;
  const scales = build.constant(scale);
  const rank = build.shape(x).length;
  const zeros = zero < 0 ? new Uint8Array(scales.length) : build.constant(zero);
  return { scales, zeros, axis: (Number(attributes.axis?.value ?? 1) + rank) % rank };
}

/** For each element of a value the place of its scale. */
export function scaleIndex(build: Build, value: number, { scales, axis }: Scales): (i: number) => number {
  const inner = build.shape(value).reduce((product, size, at) => (at > axis ? product * size : product), 1);
  return (i) => Math.floor(i / inner) % scales.length;
}

/** The 8-bit numbers of a value under one scale. */
export interface Quantization {
  readonly value: number;
  readonly scale: number;
  readonly zero: number;
  /** The type's bounds less `zero`. */
  readonly lo: number;
  readonly hi: number;
  /** What kernels read bytes with: `((byte ^ flip) - unsignedZero) scale`. */
  readonly flip: number;
  readonly unsignedZero: number;
}

/** Numbers of one scale and zero. */
export function quantization(build: Build, value: number, scale: number, zero: number): Quantization {
  const flip = build.program.values[value]!.dtype === "int8" ? 128 : 0;
  const unsignedZero = zero + flip;
  return { value, scale, zero, lo: -unsignedZero, hi: 255 - unsignedZero, flip, unsignedZero };
}

/** What an `op` node of one scale writes to, QuantizeLinear, or reads from, DequantizeLinear; undefined where it is another node. */
export function quantizationOf(
  build: Build,
  node: ProgramNode | undefined,
  op: "QuantizeLinear" | "DequantizeLinear",
): Quantization | undefined {
  if (node?.op !== op) return;
  const value = op === "QuantizeLinear" ? node.outputs[0]! : node.inputs[0]!;
  const found = scalesOf(build, node);
  if (found?.scales.length !== 1 || !build.isByte(value) || build.isConstant(value)) return;
  return quantization(build, value, found.scales[0]!, found.zeros[0]!);
}
