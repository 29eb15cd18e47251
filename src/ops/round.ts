/** Round: to the nearest integer, halves to even; its gradient is zero almost everywhere. */
import { roundHalfEven } from "../tensor/half.ts";
import { defineUnary } from "./_elementwise.ts";
import { zeroGradient } from "./define-op.ts";

export const round = defineUnary("Round", {
  attributes: {},
  f: roundHalfEven,
  vjp: zeroGradient,
});
