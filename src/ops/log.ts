/** Log: `y = ln x`; `x̄ = ȳ / x`. */
import { defineUnary } from "./_elementwise.ts";

export const log = defineUnary("Log", {
  attributes: {},
  f: Math.log,
  vjp: (g, { I: [x], GO: [gy] }) => [g.div(gy, x)],
});
