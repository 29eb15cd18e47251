/** Transpose: `y[i_perm(0), i_perm(1), …] = x[i_0, i_1, …]`: axis k of y is axis perm(k) of x; the reverse where left out. */
import { NetpareError } from "../tensor/error.ts";
import { stridesOf } from "../tensor/shape.ts";
import { take } from "../tensor/take.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const transpose = defineOp("Transpose", {
  inputs: ["data"],
  attributes: { perm: attr.ints() },
  infer({ a, I: [x] }) {
    const perm = permutation(a.perm, x.shape.length);
    return [
      fact(
        x.dtype,
        perm.map((axis) => x.shape[axis]!),
      ),
    ];
  },
  channels: {
    link({ a, I: [x] }, links) {
      permutation(a.perm, x.shape.length).forEach((from, to) => {
        links.tie(inputAxis(0, from), outputAxis(0, to));
      });
    },
  },
  vjp(g, { a, I: [x], GO: [gy] }) {
    const perm = permutation(a.perm, g.shape(x).length);
    return [
      g.transpose(
        gy,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ];
  },
  evaluate({ a, I: [x] }) {
    const perm = permutation(a.perm, x.shape.length);
    const strides = stridesOf(x.shape);
    const shape = perm.map((axis) => x.shape[axis]!);
    let offsets = Int32Array.of(0);
    for (const axis of perm) {
      const outer = offsets;
      const dim = x.shape[axis]!;
      offsets = new Int32Array(outer.length * dim);
      let at = 0;
      for (const base of outer) for (let i = 0; i < dim; i++) offsets[at++] = base + i * strides[axis]!;
    }
    return [take(x, shape, offsets)];
  },
});

function permutation(perm: readonly number[] | undefined, rank: number): readonly number[] {
  const given = perm ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  if (given.length !== rank || new Set(given).size !== rank || given.some((axis) => axis < 0 || axis >= rank))
    throw new NetpareError("bad-model", `perm [${given}] is no permutation of the ${rank} axes of its input`);
  return given;
}
