/** ReduceProd: `x̄ = ȳ · y / x`, which holds for groups without a zero. */
import { defineReduction } from "./_reduce.ts";

export const reduceProd = defineReduction("ReduceProd", {
  reduce: (group) => group.reduce((product, v) => product * v, 1),
  vjp: (g, { x, y, gy }) => g.div(g.mul(y, gy), x),
});
