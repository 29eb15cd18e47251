/** HardSwish (Howard et al. 2019, arXiv:1905.02244): `y = x · h`, `h = clip(x/6 + 1/2, 0, 1)`; `x̄ = ȳ · (h + x/6 · [0 < h < 1])`. */
import { float } from "../graph/attributes.ts";
import { defineUnary } from "./_elementwise.ts";

export const hardSwish = defineUnary("HardSwish", {
  attributes: {},
  f: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  vjp(g, { I: [x], GO: [gy] }) {
    const h = g.op("HardSigmoid", [x], { alpha: float(1 / 6), beta: float(0.5) });
    const inside = g.mul(g.positive(h), g.positive(g.sub(g.scalar(1, h), h)));
    return [g.mul(gy, g.add(h, g.mul(g.scale(x, 1 / 6), inside)))];
  },
});
