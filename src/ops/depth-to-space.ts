/** DepthToSpace: groups of b·b channels become b×b blocks of pixels (layout: _depth-space); its adjoint is its inverse. */
import { int } from "../graph/attributes.ts";
import { take } from "../tensor/take.ts";
import { blockOffsets, spreadDims } from "./_depth-space.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const depthToSpace = defineOp("DepthToSpace", {
  inputs: ["input"],
  attributes: { blocksize: attr.int(1), mode: attr.string("DCR") },
  infer: ({ a, I: [x] }) => [fact(x.dtype, spreadDims(x.shape, a.blocksize))],
  channels: {
    link({ a, O: [y] }, links) {
      const channels = Number(y.shape[1]);
      links.tie(inputAxis(0, 0), outputAxis(0, 0));
      links.tie(inputAxis(0, 1), outputAxis(0, 1), (depth) =>
        a.mode === "CRD" ? Math.floor(depth / a.blocksize ** 2) : depth % channels,
      );
    },
  },
  vjp(g, { a, I: [x], GO: [gy] }) {
    if (a.mode !== "CRD") return [g.op("SpaceToDepth", [gy], { blocksize: int(a.blocksize) })];
    const [n, depth, h, w] = g.shape(x) as [number, number, number, number];
    const b = a.blocksize;
    const blocks = g.transpose(g.reshape(gy, [n, depth / b ** 2, h, b, w, b]), [0, 1, 3, 5, 2, 4]);
    return [g.reshape(blocks, [n, depth, h, w])];
  },
  evaluate({ a, I: [x] }) {
    const shape = spreadDims(x.shape, a.blocksize) as number[];
    return [take(x, shape, blockOffsets(shape, a.blocksize, a.mode === "CRD"))];
  },
});
