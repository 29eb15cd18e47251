/** Where: `y = condition ? a : b` with broadcasting; `ā = ȳ` where it holds, `b̄ = ȳ` where it does not. */
import { inferBroadcast, linkBroadcast, mapBroadcast } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";

export const where = defineOp("Where", {
  inputs: ["condition", "X", "Y"],
  attributes: {},
  infer: ({ I }) => inferBroadcast(I, I[1].dtype),
  channels: { link: linkBroadcast },
  vjp(g, { I: [condition], GO: [gy], wants }) {
    const zero = g.scalar(0, gy);
    return [
      null,
      wants(1) ? g.op("Where", [condition, gy, zero]) : null,
      wants(2) ? g.op("Where", [condition, zero, gy]) : null,
    ];
  },
  evaluate: ({ I }) => [mapBroadcast(I, (c, a, b) => (c ? a! : b!), I[1].dtype)],
});
