/** Reshape: the same elements in row-major order under another shape; 0 copies a dimension, -1 takes what is left. */
import type { Dim } from "../graph/graph.ts";
import { int64s, tensor, toIntegers } from "../tensor/tensor.ts";
import { linkReshape, reshapedDims, reshapeLike } from "./_reshape.ts";
import { attr } from "./attribute-schema.ts";
import { outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { type Fact, fact, knownDims } from "./fact.ts";

export const reshape = defineOp("Reshape", {
  inputs: ["data", "shape"],
  attributes: { allowzero: attr.int(0) },
  infer({ a, I: [x, shape] }) {
    const target = knownDims(shape);
    if (target !== undefined) {
      const dims = reshapedDims(x.shape, target, a.allowzero === 1);
      return [{ ...fact(x.dtype, dims), ...sameContent(x, dims) }];
    }
    const rank = shape.shape[0];
    return [fact(x.dtype, typeof rank === "number" ? new Array<Dim>(rank).fill("?") : undefined)];
  },
  channels: {
    link: ({ I: [x], O: [y] }, links) => linkReshape(x.shape, y.shape, links),
    shrink({ I: [x], O: [y] }, kept) {
      const target = y.shape.map((dim, axis) => {
        if (typeof dim === "number") return kept(outputAxis(0, axis)).length;
        return dim === x.shape[axis] ? 0 : -1;
      });
      return { inputs: new Map([[1, int64s(target)]]) };
    },
  },
  vjp: (g, { I: [x], GO: [gy] }) => [reshapeLike(g, gy, x), null],
  evaluate: ({ a, I: [x, shape] }) => {
    const dims = reshapedDims(x.shape, toIntegers(shape), a.allowzero === 1);
    return [tensor(x.dtype, dims as number[], x.data)];
  },
});

/** Content of a vector that stays a vector, or becomes a scalar. */
function sameContent(x: Fact, shape: readonly Dim[]): Pick<Fact, "dims"> {
  return x.dims !== undefined && shape.length <= 1 ? { dims: x.dims } : {};
}
