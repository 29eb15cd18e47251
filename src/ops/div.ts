/** Div: `c = a / b` with broadcasting, truncated on integers; `ā = c̄ / b`, `b̄ = -ā · c`. */
import { defineBinary } from "./_elementwise.ts";

export const div = defineBinary("Div", {
  f: (a, b) => a / b,
  integers: (a, b) => (b === 0n ? 0n : a / b),
  neutral: 1,
  vjp: (g, { I: [, b], O: [c], GO: [gc], wants }) => {
    const ga = g.div(gc, b);
    return [ga, wants(1) ? g.neg(g.mul(ga, c)) : null];
  },
});
