/** Abs: `y = |x|`; `x̄ = ȳ · sign x`. */
import { defineUnary } from "./_elementwise.ts";

export const abs = defineUnary("Abs", {
  attributes: {},
  f: Math.abs,
  vjp: (g, { I: [x], GO: [gy] }) => [g.mul(gy, g.op("Sign", [x]))],
});
