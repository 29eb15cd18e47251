/** Split: consecutive parts along an axis, of the sizes given or equal ones (the last smaller). Gradient: Concat. */
import { int } from "../graph/attributes.ts";
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis } from "../tensor/shape.ts";
import { indicesTo, takeAxis } from "../tensor/take.ts";
import { int64s, tensor, toIntegers } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact, knownIntegers } from "./fact.ts";

export const split = defineOp("Split", {
  inputs: ["input", "split?"],
  attributes: { axis: attr.int(0), num_outputs: attr.int() },
  infer({ node, a, I: [x, split] }) {
    const axis = normalizeAxis(a.axis, x.shape.length);
    const sizes =
      split && !knownIntegers(split) ? undefined : partSizes(x.shape[axis]!, node.outputs.length, knownIntegers(split));
    return node.outputs.map((_, k) =>
      fact(
        x.dtype,
        x.shape.map((dim, at) => (at === axis ? (sizes?.[k] ?? "?") : dim)),
      ),
    );
  },
  channels: {
    link({ a, I: [x], O }, links) {
      const axis = normalizeAxis(a.axis, x.shape.length);
      let offset: Dim = 0;
      O.forEach((part, k) => {
        x.shape.forEach((_, at) => {
          if (at !== axis) links.tie(outputAxis(k, at), inputAxis(0, at));
        });
        const before = offset;
        const dim = part.shape[axis]!;
        if (typeof before === "string" || typeof dim === "string") return;
        links.tie(outputAxis(k, axis), inputAxis(0, axis), (i) => before + i);
        offset = before + dim;
      });
    },
    shrink({ node, a, I: [x], O }, kept) {
      const axis = normalizeAxis(a.axis, x.shape.length);
      const { num_outputs: _, ...attributes } = node.attributes;
      if (O.some((part) => typeof part.shape[axis] === "string")) return {};
      return { attributes, inputs: new Map([[1, int64s(O.map((_, k) => kept(outputAxis(k, axis)).length))]]) };
    },
  },
  vjp(g, { node, a, GO }) {
    const parts = GO.map(
      (gy, k) => gy ?? g.initializer("zeros", tensor(g.dtype(node.outputs[k]!), g.shape(node.outputs[k]!))),
    );
    return [g.op("Concat", parts, { axis: int(a.axis) }), null];
  },
  evaluate({ node, a, I: [x, split] }) {
    const axis = normalizeAxis(a.axis, x.shape.length);
    let offset = 0;
    return partSizes(x.shape[axis]!, node.outputs.length, split && toIntegers(split)).map((size) => {
      const start = offset;
      offset += Number(size);
      return takeAxis(
        x,
        axis,
        indicesTo(Number(size)).map((i) => start + i),
      );
    });
  },
});

function partSizes(dim: Dim, count: number, given: readonly number[] | undefined): readonly Dim[] {
  if (given === undefined) {
    if (typeof dim === "string") return new Array<Dim>(count).fill("?");
    const size = Math.ceil(dim / count);
    return indicesTo(count).map((k) => (k < count - 1 ? size : dim - size * (count - 1)));
  }
  const sum = given.reduce((a, b) => a + b, 0);
  if (given.length !== count || (typeof dim === "number" && sum !== dim))
    throw new NetpareError(
      "bad-shape",
      `split has ${given.length} sizes with the sum ${sum}, expected ${count} with the sum ${dim}`,
    );
  return given;
}
