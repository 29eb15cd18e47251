/** SpaceToDepth: b×b blocks of pixels become groups of b·b channels (layout: _depth-space); its adjoint is its inverse. */
import { int } from "../graph/attributes.ts";
import { take } from "../tensor/take.ts";
import { blockOffsets, gatheredDims } from "./_depth-space.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const spaceToDepth = defineOp("SpaceToDepth", {
  inputs: ["input"],
  attributes: { blocksize: attr.int(1) },
  infer: ({ a, I: [x] }) => [fact(x.dtype, gatheredDims(x.shape, a.blocksize))],
  channels: {
    link({ I: [x] }, links) {
      const channels = Number(x.shape[1]);
      links.tie(inputAxis(0, 0), outputAxis(0, 0));
      links.tie(outputAxis(0, 1), inputAxis(0, 1), (depth) => depth % channels);
    },
  },
  vjp: (g, { a, GO: [gy] }) => [g.op("DepthToSpace", [gy], { blocksize: int(a.blocksize) })],
  evaluate({ a, I: [x] }) {
    const inverse = new Int32Array(x.data.length);
    blockOffsets(x.shape, a.blocksize, false).forEach((depth, pixel) => {
      inverse[depth] = pixel;
    });
    return [take(x, gatheredDims(x.shape, a.blocksize) as number[], inverse)];
  },
});
