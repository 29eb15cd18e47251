/** LeakyRelu: `y = x` for `x > 0`, else `αx`; `x̄ = ȳ · (α + (1 - α) · [x > 0])`. */
import { defineUnary } from "./_elementwise.ts";
import { attr } from "./attribute-schema.ts";

export const leakyRelu = defineUnary("LeakyRelu", {
  attributes: { alpha: attr.float(0.01) },
  f: (x, { alpha }) => (x > 0 ? x : alpha * x),
  vjp: (g, { a: { alpha }, I: [x], GO: [gy] }) => [
    g.mul(gy, g.add(g.scale(g.positive(x), 1 - alpha), g.scalar(alpha, x))),
  ],
});
