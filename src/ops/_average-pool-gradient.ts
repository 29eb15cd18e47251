/**
 * The gradient of AveragePool, `x̄[i] = Σ_{w ∋ i} ȳ[w] / count[w]`: windows that tile the input enlarge the cotangent, others
 * add up by a ConvTranspose with a kernel of ones.
 */
import { ints } from "../graph/attributes.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { isTiling, outputPadding, overlapPads, type WindowAxis } from "./_sliding-window.ts";
import { enlarge, padEnd } from "./_spatial.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** The cotangent of the input of shape `data`, for windows that cover `counts` elements each. */
export function averagePoolGradient(
  g: TypedBuilder,
  gy: string,
  data: Shape,
  axes: readonly WindowAxis[],
  counts: Float64Array,
): string {
  const windows = axes.map((axis) => axis.output);
  const share = counts.every((count) => count === counts[0])
    ? g.scale(gy, 1 / counts[0]!)
    : g.mul(
        gy,
        g.initializer(
          "shares",
          tensorOf(
            g.dtype(gy),
            windows,
            counts.map((count) => 1 / count),
          ),
        ),
      );
  const kernel = axes.map((axis) => axis.kernel);
  if (isTiling(axes)) return padEnd(g, enlarge(g, share, kernel), axes);
  const planes = data[0]! * data[1]!;
  const ones = g.initializer("ones", tensorOf(g.dtype(gy), [1, 1, ...kernel], new Array(sizeOf(kernel)).fill(1)));
  const spread = g.op("ConvTranspose", [g.reshape(share, [planes, 1, ...windows]), ones], {
    strides: ints(axes.map((axis) => axis.stride)),
    dilations: ints(axes.map((axis) => axis.dilation)),
    pads: ints(overlapPads(axes)),
    output_padding: ints(outputPadding(axes)),
  });
  return g.reshape(spread, data);
}
