/** LogSoftmax: `y = x - ln Σeˣ` along an axis; `x̄ = ȳ - e^y · Σȳ`. */
import { defineSoftmax } from "./_softmax.ts";

export const logSoftmax = defineSoftmax("LogSoftmax", {
  f: (x, sum) => x - Math.log(sum),
  vjp: (g, y, gy, axis) => g.sub(gy, g.mul(g.op("Exp", [y]), g.reduceSum(gy, [axis]))),
});
