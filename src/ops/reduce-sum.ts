/** ReduceSum: `x̄ = ȳ`, repeated. */
import { defineReduction, expand } from "./_reduce.ts";

export const reduceSum = defineReduction("ReduceSum", {
  reduce: (group) => group.reduce((sum, v) => sum + v, 0),
  sums: true,
  vjp: (g, { x, gy }) => expand(g, gy, g.shape(x)),
});
