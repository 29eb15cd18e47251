/** Unsqueeze: inserts axes of size 1; `axes` counts in the output. */
import { NetpareError } from "../tensor/error.ts";
import { tensor } from "../tensor/tensor.ts";
import { knownAxes, linkWithout } from "./_axes-input.ts";
import { reshapeLike } from "./_reshape.ts";
import { defineOp } from "./define-op.ts";
import { constantFact, fact } from "./fact.ts";

export const unsqueeze = defineOp("Unsqueeze", {
  inputs: ["data", "axes"],
  attributes: {},
  infer({ I: [x, axes] }) {
    const count = axes.shape.length === 0 ? 1 : axes.shape[0]!;
    if (typeof count === "string") return [fact(x.dtype, undefined)];
    const inserted = knownAxes(axes, x.shape.length + count);
    if (inserted === undefined) return [fact(x.dtype, new Array<string>(x.shape.length + count).fill("?"))];
    const shape = insertOnes(x.shape, inserted);
    return [x.dims && shape.length === 1 ? { ...fact(x.dtype, shape), dims: x.dims } : fact(x.dtype, shape)];
  },
  channels: {
    link({ I: [, axes], O: [y] }, links) {
      const inserted = knownAxes(axes, y.shape.length);
      if (inserted !== undefined) linkWithout(y.shape.length, inserted, "O", links);
    },
  },
  vjp: (g, { I: [x], GO: [gy] }) => [reshapeLike(g, gy, x), null],
  evaluate: ({ I: [x, axes] }) => {
    const inserted = knownAxes(constantFact(axes), x.shape.length + axes.data.length)!;
    return [tensor(x.dtype, insertOnes(x.shape, inserted), x.data)];
  },
});

function insertOnes<D>(shape: readonly D[], axes: readonly number[]): (D | 1)[] {
  if (new Set(axes).size !== axes.length) throw new NetpareError("bad-model", `axes [${axes}] names one axis twice`);
  const rest = [...shape];
  return Array.from({ length: shape.length + axes.length }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!));
}
