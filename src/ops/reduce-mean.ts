/** ReduceMean: `x̄ = ȳ / n`, repeated, for groups of `n`. */
import { defineReduction, expand } from "./_reduce.ts";

export const reduceMean = defineReduction("ReduceMean", {
  reduce: (group) => group.reduce((sum, v) => sum + v, 0) / group.length,
  vjp: (g, { x, gy, count }) => expand(g, g.scale(gy, 1 / count), g.shape(x)),
});
