/** Relu: `y = max(x, 0)`; `x̄ = ȳ · [y > 0]`. */
import { inferBroadcast, linkBroadcast, mapTensor } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";

export const relu = defineOp("Relu", {
  inputs: ["X"],
  attributes: {},
  infer: ({ I }) => inferBroadcast(I),
  channels: { link: linkBroadcast },
  vjp: (g, { O: [y], GO: [gy] }) => [g.mul(gy, g.positive(y))],
  evaluate: ({ I: [x] }) => [mapTensor(x, (v) => Math.max(v, 0))],
});
