/** HardSigmoid: `y = clip(αx + β, 0, 1)`; `x̄ = ȳ · α · [0 < y < 1]`. With α = 3e38 it is the step `[x > 0]`. */
import { defineUnary } from "./_elementwise.ts";
import { attr } from "./attribute-schema.ts";

export const hardSigmoid = defineUnary("HardSigmoid", {
  attributes: { alpha: attr.float(0.2), beta: attr.float(0.5) },
  f: (x, { alpha, beta }) => Math.min(Math.max(alpha * x + beta, 0), 1),
  vjp: (g, { a, O: [y], GO: [gy] }) => {
    const inside = g.mul(g.positive(y), g.positive(g.sub(g.scalar(1, y), y)));
    return [g.scale(g.mul(gy, inside), a.alpha)];
  },
});
