/** Squeeze: removes the given axes of size 1, or all of that size. */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { tensor } from "../tensor/tensor.ts";
import { knownAxes, linkWithout } from "./_axes-input.ts";
import { reshapeLike } from "./_reshape.ts";
import { defineOp } from "./define-op.ts";
import { constantFact, type Fact, fact } from "./fact.ts";

export const squeeze = defineOp("Squeeze", {
  inputs: ["data", "axes?"],
  attributes: {},
  infer({ I: [x, axes] }) {
    const removed = removedAxes(x.shape, axes);
    if (removed === undefined) return [fact(x.dtype, undefined)];
    const shape = x.shape.filter((_, axis) => !removed.includes(axis));
    return [x.dims ? { ...fact(x.dtype, shape), dims: x.dims } : fact(x.dtype, shape)];
  },
  channels: {
    link({ I: [x, axes] }, links) {
      const removed = removedAxes(x.shape, axes);
      if (removed !== undefined) linkWithout(x.shape.length, removed, "I", links);
    },
  },
  vjp: (g, { I: [x], GO: [gy] }) => [reshapeLike(g, gy, x), null],
  evaluate({ I: [x, axes] }) {
    const removed = removedAxes(x.shape, axes && constantFact(axes))!;
    return [
      tensor(
        x.dtype,
        x.shape.filter((_, axis) => !removed.includes(axis)),
        x.data,
      ),
    ];
  },
});

function removedAxes(shape: readonly Dim[], axes: Fact | undefined): readonly number[] | undefined {
  if (axes === undefined) {
    if (shape.some((dim) => typeof dim === "string")) return undefined;
    return shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  }
  const removed = knownAxes(axes, shape.length);
  const wrong = removed?.find((axis) => typeof shape[axis] === "number" && shape[axis] !== 1);
  if (wrong !== undefined)
    throw new NetpareError("bad-shape", `axis ${wrong} has size ${shape[wrong]}, expected 1 to squeeze it`);
  return removed;
}
