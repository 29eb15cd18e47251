/** Reciprocal: `y = 1 / x`; `x̄ = -ȳ · y²`. */
import { defineUnary } from "./_elementwise.ts";

export const reciprocal = defineUnary("Reciprocal", {
  attributes: {},
  f: (x) => 1 / x,
  vjp: (g, { O: [y], GO: [gy] }) => [g.neg(g.mul(gy, g.mul(y, y)))],
});
