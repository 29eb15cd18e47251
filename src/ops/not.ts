/** Not: true where `x` is false. */
import { defineUnary } from "./_elementwise.ts";
import { zeroGradient } from "./define-op.ts";

export const not = defineUnary("Not", {
  attributes: {},
  f: (x) => 1 - x,
  vjp: zeroGradient,
});
