/**
 * StraightThrough, of netpare's own domain: its value is that of `Y`, its gradient goes to `X` unchanged (Bengio, Léonard,
 * Courville 2013, arXiv:1308.3432). With `Y` a rounding or a sign of `X` a step function can be trained through.
 */
import { linkBroadcast } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";

export const straightThrough = defineOp("StraightThrough", {
  domain: "netpare",
  inputs: ["X", "Y"],
  attributes: {},
  weights: [0],
  infer: ({ I: [, y] }) => [y],
  channels: { link: linkBroadcast },
  vjp: (_, { GO: [gy] }) => [gy, null],
  evaluate: ({ I: [, y] }) => [y],
  body: {
    nodes: [{ name: "", op: "Identity", domain: "", inputs: ["Y"], outputs: ["Z"], attributes: {} }],
    outputs: ["Z"],
  },
});
