/** Sigmoid: `y = 1 / (1 + e⁻ˣ)`; `x̄ = ȳ · y · (1 - y)`. */
import { defineUnary } from "./_elementwise.ts";

export const sigmoid = defineUnary("Sigmoid", {
  attributes: {},
  f: (x) => 1 / (1 + Math.exp(-x)),
  vjp: (g, { O: [y], GO: [gy] }) => [g.mul(gy, g.sub(y, g.mul(y, y)))],
});
