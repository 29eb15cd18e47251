/** What QuantizeLinear and DequantizeLinear say of 8-bit numbers: q stands for `x = (q - zero) scale`. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, axisOf, type Build } from "../build.ts";

/** The constants of a node, one pair or one for each index of `axis`. */
export interface Scales {
  readonly scales: ArrayLike<number>;
  /** As many as scales. */
  readonly zeros: ArrayLike<number>;
  readonly axis: number;
}

/** The constants of a node; undefined where they are computed, or stand for blocks. */
export function scalesOf(build: Build, node: ProgramNode): Scales | undefined {
  const [x, scale, zero = -1] = node.inputs as [number, number, number?];
  if (!build.isConstant(scale) || (zero >= 0 && !build.isConstant(zero)) || attribute(node, "block_size", 0)) return;
  const shape = build.shape(x);
  const scales = build.constant(scale);
  const zeros = zero < 0 ? new Uint8Array(scales.length) : build.constant(zero);
  const axis = scales.length > 1 ? axisOf(attribute(node, "axis", 1), shape.length) : 0;
  if (zeros.length !== scales.length || (scales.length !== 1 && scales.length !== shape[axis]))
    throw badFile(`${node.op} of (${shape}) by ${scales.length} scales and ${zeros.length} zeros`);
  return { scales, zeros, axis };
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
