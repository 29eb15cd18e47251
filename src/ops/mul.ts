/** Mul: `c = a · b` with broadcasting; `ā = c̄ · b`, `b̄ = c̄ · a`. */
import { defineBinary } from "./_elementwise.ts";

export const mul = defineBinary("Mul", {
  f: (a, b) => a * b,
  integers: (a, b) => a * b,
  neutral: 1,
  commutative: true,
  vjp: (g, { I: [a, b], GO: [gc], wants }) => [wants(0) ? g.mul(gc, b) : null, wants(1) ? g.mul(gc, a) : null],
});
