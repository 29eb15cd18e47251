/** Neg: `y = -x`; `x̄ = -ȳ`. */
import { defineUnary } from "./_elementwise.ts";

export const neg = defineUnary("Neg", {
  attributes: {},
  f: (x) => -x,
  vjp: (g, { GO: [gy] }) => [g.neg(gy)],
});
