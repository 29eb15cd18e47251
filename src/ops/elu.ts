/** Elu (Clevert et al. 2015, arXiv:1511.07289): `y = x` for `x > 0`, else `α(eˣ - 1)`; `x̄ = ȳ · (α + min(y, 0) + (1 - α) · [x > 0])`. */
import { defineUnary } from "./_elementwise.ts";
import { attr } from "./attribute-schema.ts";

export const elu = defineUnary("Elu", {
  attributes: { alpha: attr.float(1) },
  f: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
  vjp: (g, { a: { alpha }, I: [x], O: [y], GO: [gy] }) => {
    const below = g.add(g.op("Min", [y, g.scalar(0, y)]), g.scalar(alpha, y));
    const slope = alpha === 1 ? below : g.add(below, g.scale(g.positive(x), 1 - alpha));
    return [g.mul(gy, slope)];
  },
});
