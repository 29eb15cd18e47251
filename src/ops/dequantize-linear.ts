/**
 * DequantizeLinear: `y = (x - zeroPoint) · scale`, per tensor, per axis or per block, in the dtype of the scale.
 * The scale's cotangent is `Σ ȳ · (x - zeroPoint)` over the elements it scales; that of blocks is not written.
 */
import { int } from "../graph/attributes.ts";
import { elementTypeOf } from "../tensor/element-type.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis, sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { linkQuantized, quantizeAttributes, spread } from "./_quantize.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const dequantizeLinear = defineOp("DequantizeLinear", {
  inputs: ["x", "x_scale", "x_zero_point?"],
  attributes: quantizeAttributes,
  weights: [0],
  infer: ({ I: [x, scale] }) => [fact(scale.dtype, x.shape)],
  channels: { link: linkQuantized },
  vjp(g, { a, I: [x, scale, zeroPoint], GO: [gy], wants }) {
    if (!wants(1)) return [null];
    const shape = g.shape(x);
    const scaleShape = g.shape(scale);
    if (scaleShape.length > 1) throw new NetpareError("unsupported", "the gradient of blockwise scales is not written");
    const along = sizeOf(scaleShape) === 1 ? undefined : normalizeAxis(a.axis, shape.length);
    const float = (name: string) => g.op("Cast", [name], { to: int(elementTypeOf(g.dtype(scale))) });
    const column = shape.map((dim, axis) => (axis === along ? dim : 1));
    const centred = zeroPoint === undefined ? float(x) : g.sub(float(x), g.reshape(float(zeroPoint), column));
    const others = shape.flatMap((_, axis) => (axis === along ? [] : [axis]));
    return [null, g.reshape(g.reduceSum(g.mul(gy, centred), others, false), scaleShape)];
  },
  evaluate({ a, I: [x, scale, zeroPoint] }) {
    const scales = spread(a, scale, x.shape);
    const zeros = zeroPoint && spread(a, zeroPoint, x.shape);
    return [
      tensorOf(
        scale.dtype,
        x.shape,
        toNumbers(x).map((v, i) => (v - (zeros?.[i] ?? 0)) * scales[i]!),
      ),
    ];
  },
});
