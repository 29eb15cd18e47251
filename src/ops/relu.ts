/** Relu: `y = max(x, 0)`; `x̄ = ȳ · [y > 0]`. */
import { defineUnary } from "./_elementwise.ts";

export const relu = defineUnary("Relu", {
  attributes: {},
  f: (x) => Math.max(x, 0),
  vjp: (g, { O: [y], GO: [gy] }) => [g.mul(gy, g.positive(y))],
});
