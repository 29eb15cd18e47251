/** Sqrt: `y = √x`; `x̄ = ȳ / 2y`. */
import { defineUnary } from "./_elementwise.ts";

export const sqrt = defineUnary("Sqrt", {
  attributes: {},
  f: Math.sqrt,
  vjp: (g, { O: [y], GO: [gy] }) => [g.div(g.scale(gy, 0.5), y)],
});
