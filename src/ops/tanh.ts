/** Tanh: `x̄ = ȳ · (1 - y²)`. */
import { defineUnary } from "./_elementwise.ts";

export const tanh = defineUnary("Tanh", {
  attributes: {},
  f: Math.tanh,
  vjp: (g, { O: [y], GO: [gy] }) => [g.mul(gy, g.sub(g.scalar(1, y), g.mul(y, y)))],
});
