/** Sign: -1, 0 or 1; its gradient is zero almost everywhere. */
import { defineUnary } from "./_elementwise.ts";
import { zeroGradient } from "./define-op.ts";

export const sign = defineUnary("Sign", {
  attributes: {},
  f: Math.sign,
  vjp: zeroGradient,
});
