/** Expand: broadcasts to `shape`, both ways as in NumPy. */
import type { Dim } from "../graph/graph.ts";
import { broadcastShapes } from "../tensor/shape.ts";
import { take } from "../tensor/take.ts";
import { int64s, toIntegers } from "../tensor/tensor.ts";
import { broadcastOffsets } from "./_elementwise.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { broadcastDims, fact, knownDims } from "./fact.ts";

export const expand = defineOp("Expand", {
  inputs: ["input", "shape"],
  attributes: {},
  infer({ I: [x, shape] }) {
    const target = knownDims(shape);
    if (target !== undefined) return [fact(x.dtype, broadcastDims(x.shape, target))];
    const count = shape.shape[0];
    if (typeof count === "string" || count === undefined) return [fact(x.dtype, undefined)];
    return [fact(x.dtype, new Array<Dim>(Math.max(count, x.shape.length)).fill("?"))];
  },
  channels: {
    link({ I: [x], O: [y] }, links) {
      const lead = y.shape.length - x.shape.length;
      y.shape.forEach((dim, axis) => {
        if (axis < lead || x.shape[axis - lead] !== dim) links.free(outputAxis(0, axis));
        else links.tie(inputAxis(0, axis - lead), outputAxis(0, axis));
      });
    },
    shrink({ O: [y] }, kept) {
      if (y.shape.some((dim) => typeof dim === "string")) return {};
      return { inputs: new Map([[1, int64s(y.shape.map((_, axis) => kept(outputAxis(0, axis)).length))]]) };
    },
  },
  vjp: (_, { GO: [gy] }) => [gy, null],
  evaluate: ({ I: [x, target] }) => {
    const shape = broadcastShapes(x.shape, toIntegers(target));
    return [take(x, shape, broadcastOffsets(x.shape, shape))];
  },
});
