/** ReduceMin: the least of each group; equal winners share `ȳ`. */
import { equals } from "./_elementwise.ts";
import { defineReduction } from "./_reduce.ts";

export const reduceMin = defineReduction("ReduceMin", {
  reduce: (group) => group.reduce((a, b) => Math.min(a, b), Infinity),
  vjp(g, { x, y, gy, axes }) {
    const winners = equals(g, x, y);
    return g.mul(winners, g.div(gy, g.reduceSum(winners, axes)));
  },
});
