/** Ceil: the smallest integer not below `x`; its gradient is zero almost everywhere. */
import { defineUnary } from "./_elementwise.ts";
import { zeroGradient } from "./define-op.ts";

export const ceil = defineUnary("Ceil", {
  attributes: {},
  f: Math.ceil,
  vjp: zeroGradient,
});
