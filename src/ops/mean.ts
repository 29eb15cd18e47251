/** Mean: of any number `n` of inputs, with broadcasting; each gets `ȳ / n`. */
import { defineVariadic } from "./_variadic.ts";

export const mean = defineVariadic("Mean", {
  f: (...values) => values.reduce((a, b) => a + b) / values.length,
  vjp(g, { I, GO: [gy] }) {
    const share = g.scale(gy, 1 / I.length);
    return I.map(() => share);
  },
});
