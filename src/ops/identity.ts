/** Identity: `y = x`; what is known of `x` is known of `y`. */
import { linkBroadcast } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";

export const identity = defineOp("Identity", {
  inputs: ["input"],
  attributes: {},
  infer: ({ I: [x] }) => [x],
  channels: { link: linkBroadcast },
  vjp: (_, { GO: [gy] }) => [gy],
  evaluate: ({ I: [x] }) => [x],
});
