/** ReduceL2: `y = √Σx²`; `x̄ = x · ȳ / y`, and 0 where all of a group is 0. */
import { defineReduction } from "./_reduce.ts";

export const reduceL2 = defineReduction("ReduceL2", {
  reduce: (group) => Math.sqrt(group.reduce((sum, v) => sum + v * v, 0)),
  sums: true,
  vjp: (g, { x, y, gy }) => g.mul(x, g.div(gy, g.op("Max", [y, g.scalar(1e-12, y)]))),
});
