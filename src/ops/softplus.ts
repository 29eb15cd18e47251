/** Softplus: `y = ln(1 + eˣ)`; `x̄ = ȳ · sigmoid x`. */
import { defineUnary } from "./_elementwise.ts";

export const softplus = defineUnary("Softplus", {
  attributes: {},
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  vjp: (g, { I: [x], GO: [gy] }) => [g.mul(gy, g.op("Sigmoid", [x]))],
});
