/** Softmax: `y = eˣ / Σeˣ` along an axis; `x̄ = y · (ȳ - Σ ȳy)`. */
import { defineSoftmax } from "./_softmax.ts";

export const softmax = defineSoftmax("Softmax", {
  f: (x, sum) => Math.exp(x) / sum,
  vjp: (g, y, gy, axis) => g.mul(y, g.sub(gy, g.reduceSum(g.mul(gy, y), [axis]))),
});
