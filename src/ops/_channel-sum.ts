/** Sums over every axis but the channels'. Inner axes first: in onnxruntime three times faster than all at once. */
import type { TypedBuilder } from "./typed-builder.ts";

/** The sum of each channel: `x: (N, C, …) → (C)`. */
export function sumPerChannel(g: TypedBuilder, x: string): string {
  const inner = g.shape(x).flatMap((_, axis) => (axis >= 2 ? [axis] : []));
  const perSample = inner.length > 0 ? g.reduceSum(x, inner, false) : x; // (N, C)
  return g.reduceSum(perSample, [0], false);
}

/** A vector `(C)` in the form that broadcasts over `(N, C, …)` of `rank` axes. */
export function perChannel(g: TypedBuilder, vector: string, rank: number): string {
  return rank <= 2 ? vector : g.reshape(vector, [g.shape(vector)[0]!, ...new Array<number>(rank - 2).fill(1)]);
}
