/**
 * Erf: `y = 2/√π ∫₀ˣ e^(-t²) dt`; `x̄ = ȳ · 2/√π · e^(-x²)`.
 * The reference sums `e^(-x²) · Σ 2ⁿx²ⁿ⁺¹ / (2n+1)!!` (Abramowitz and Stegun 7.1.6), whose terms are all of one sign.
 */
import { defineUnary } from "./_elementwise.ts";

export const erf = defineUnary("Erf", {
  attributes: {},
  f(x) {
    // 1 - erf(6) is below the spacing of doubles at 1.
    if (Math.abs(x) > 6) return Math.sign(x);
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return ((2 * sum) / Math.sqrt(Math.PI)) * Math.exp(-x * x);
  },
  vjp: (g, { I: [x], GO: [gy] }) => [g.mul(gy, g.scale(g.op("Exp", [g.neg(g.mul(x, x))]), 2 / Math.sqrt(Math.PI)))],
});
