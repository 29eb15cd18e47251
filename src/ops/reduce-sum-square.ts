/** ReduceSumSquare: `y = Σx²`; `x̄ = 2x · ȳ`. */
import { defineReduction } from "./_reduce.ts";

export const reduceSumSquare = defineReduction("ReduceSumSquare", {
  reduce: (group) => group.reduce((sum, v) => sum + v * v, 0),
  sums: true,
  vjp: (g, { x, gy }) => g.mul(x, g.scale(gy, 2)),
});
