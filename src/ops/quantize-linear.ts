/**
 * QuantizeLinear: `y = saturate(round(x / scale) + zeroPoint)`, halves to even, per tensor, per axis or per block.
 * Its output is an integer, so it has no gradient; trained quantization writes Round with a gradient of its own instead.
 */
import { type DType, elementBits } from "../tensor/dtype.ts";
import { dtypeOf } from "../tensor/element-type.ts";
import { roundHalfEven } from "../tensor/half.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { linkQuantized, quantizeAttributes, spread } from "./_quantize.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp, zeroGradient } from "./define-op.ts";
import { fact } from "./fact.ts";

export const quantizeLinear = defineOp("QuantizeLinear", {
  inputs: ["x", "y_scale", "y_zero_point?"],
  attributes: { ...quantizeAttributes, output_dtype: attr.int(0) },
  infer: ({ a, I: [x, , zeroPoint] }) => [fact(outputType(a, zeroPoint), x.shape)],
  channels: { link: linkQuantized },
  vjp: zeroGradient,
  evaluate({ a, I: [x, scale, zeroPoint] }) {
    const dtype = outputType(a, zeroPoint);
    const { low, high } = range(dtype);
    const scales = spread(a, scale, x.shape);
    const zeros = zeroPoint && spread(a, zeroPoint, x.shape);
    // The quotient is rounded as a float32 engine rounds it, or ties would fall otherwise.
    const round = x.dtype === "float64" ? (v: number) => v : Math.fround;
    const y = toNumbers(x).map((v, i) =>
      Math.min(Math.max(roundHalfEven(round(v / scales[i]!)) + (zeros?.[i] ?? 0), low), high),
    );
    return [tensorOf(dtype, x.shape, y)];
  },
});

function outputType(a: { readonly output_dtype: number }, zeroPoint: { readonly dtype: DType } | undefined): DType {
  return zeroPoint?.dtype ?? (a.output_dtype === 0 ? "uint8" : dtypeOf(a.output_dtype));
}

function range(dtype: DType): { low: number; high: number } {
  const bits = elementBits(dtype);
  return dtype.startsWith("u")
    ? { low: 0, high: 2 ** bits - 1 }
    : { low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 };
}
