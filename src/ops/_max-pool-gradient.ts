/**
 * The gradient of MaxPool, `x̄[i] = Σ_{w ∋ i} [x[i] is the maximum of w] · ȳ[w]`; the total is conserved where elements tie.
 * Windows that tile the input compare it with the enlarged output, and ties share equally: three times faster than indices.
 * Others scatter by the indices of the maxima, computed again since the forward pass is ten times faster without them; there
 * the first of equals takes all.
 */
import { float, int, ints, string } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";
import { sizeOf } from "../tensor/shape.ts";
import { int64s } from "../tensor/tensor.ts";
import { isTiling, type WindowAxis } from "./_sliding-window.ts";
import { enlarge, padEnd, trimEnd } from "./_spatial.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** The cotangent of `x` for the cotangent `gy` of `y`, where `node` pools x to y over windows `axes`. */
export function maxPoolGradient(
  g: TypedBuilder,
  node: Node,
  [x, y, gy]: readonly [string, string, string],
  axes: readonly WindowAxis[],
): string {
  return isTiling(axes) ? tiled(g, x, y, gy, axes) : overlapping(g, node, x, gy);
}

function tiled(g: TypedBuilder, x: string, y: string, gy: string, axes: readonly WindowAxis[]): string {
  const kernel = axes.map((axis) => axis.kernel);
  const isMax = isMaximum(g, trimEnd(g, x, axes), enlarge(g, y, kernel));
  const ties = g.scale(
    g.op("AveragePool", [isMax], { kernel_shape: ints(kernel), strides: ints(kernel) }),
    sizeOf(kernel),
  );
  return padEnd(g, g.mul(isMax, enlarge(g, g.div(gy, ties), kernel)), axes);
}

function overlapping(g: TypedBuilder, node: Node, x: string, gy: string): string {
  const shape = g.shape(x);
  const [, indices] = g.node("MaxPool", [x], 2, { ...node.attributes, storage_order: int(0) }) as [string, string];
  const zeros = g.op("Expand", [g.scalar(0, x), g.initializer("shape", int64s([sizeOf(shape)]))]);
  const flat = (name: string) => g.reshape(name, [sizeOf(g.shape(gy))]);
  const scattered = g.op("ScatterElements", [zeros, flat(indices), flat(gy)], {
    axis: int(0),
    reduction: string("add"),
  });
  return g.reshape(scattered, shape);
}

/** 1 where `x` reaches its maximum `y ≥ x`, 0 elsewhere: on floats faster in onnxruntime than Equal and Cast. */
export function isMaximum(g: TypedBuilder, x: string, y: string): string {
  return g.op("HardSigmoid", [g.sub(x, y)], { alpha: float(3e38), beta: float(1) });
}
