/** ReduceL1: `y = Σ|x|`; `x̄ = ȳ · sign x`. */
import { defineReduction } from "./_reduce.ts";

export const reduceL1 = defineReduction("ReduceL1", {
  reduce: (group) => group.reduce((sum, v) => sum + Math.abs(v), 0),
  sums: true,
  vjp: (g, { x, gy }) => g.mul(g.op("Sign", [x]), gy),
});
