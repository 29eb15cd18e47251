/** Flatten: `y: (d0 ⋯ d(axis-1), d(axis) ⋯ d(r-1))`. */
import type { Dim } from "../graph/graph.ts";
import { tensor } from "../tensor/tensor.ts";
import { linkReshape, reshapeLike } from "./_reshape.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact, multiplyDims } from "./fact.ts";

export const flatten = defineOp("Flatten", {
  inputs: ["input"],
  attributes: { axis: attr.int(1) },
  infer: ({ a, I: [x] }) => [fact(x.dtype, flattened(x.shape, a.axis))],
  channels: { link: ({ I: [x], O: [y] }, links) => linkReshape(x.shape, y.shape, links) },
  vjp: (g, { I: [x], GO: [gy] }) => [reshapeLike(g, gy, x)],
  evaluate: ({ a, I: [x] }) => [tensor(x.dtype, flattened(x.shape, a.axis) as number[], x.data)],
});

/** `axis` may be the rank itself, or count from the end. */
function flattened(shape: readonly Dim[], axis: number): Dim[] {
  const at = axis < 0 ? axis + shape.length : axis;
  return [multiplyDims(shape.slice(0, at)), multiplyDims(shape.slice(at))];
}
