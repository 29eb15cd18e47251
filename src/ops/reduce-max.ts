/** ReduceMax: the greatest of each group; equal winners share `ȳ`. */
import { equals } from "./_elementwise.ts";
import { defineReduction } from "./_reduce.ts";

export const reduceMax = defineReduction("ReduceMax", {
  reduce: (group) => group.reduce((a, b) => Math.max(a, b), -Infinity),
  vjp(g, { x, y, gy, axes }) {
    const winners = equals(g, x, y);
    return g.mul(winners, g.div(gy, g.reduceSum(winners, axes)));
  },
});
