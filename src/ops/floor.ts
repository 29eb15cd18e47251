/** Floor: the largest integer not above `x`; its gradient is zero almost everywhere. */
import { defineUnary } from "./_elementwise.ts";
import { zeroGradient } from "./define-op.ts";

export const floor = defineUnary("Floor", {
  attributes: {},
  f: Math.floor,
  vjp: zeroGradient,
});
