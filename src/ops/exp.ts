/** Exp: `y = eˣ`; `x̄ = ȳ · y`. */
import { defineUnary } from "./_elementwise.ts";

export const exp = defineUnary("Exp", {
  attributes: {},
  f: Math.exp,
  vjp: (g, { O: [y], GO: [gy] }) => [g.mul(gy, y)],
});
