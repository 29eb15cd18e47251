/** Add: `c = a + b` with broadcasting; `ā = b̄ = c̄`. */
import { inferBroadcast, linkBroadcast, mapBroadcast } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";

export const add = defineOp("Add", {
  inputs: ["A", "B"],
  attributes: {},
  weights: [0, 1],
  infer: ({ I }) => inferBroadcast(I),
  channels: { link: linkBroadcast },
  vjp: (_, { GO: [gc] }) => [gc, gc],
  evaluate: ({ I }) => [mapBroadcast(I, (a, b) => a! + b!)],
});
