/** Add: `c = a + b` with broadcasting; `ā = b̄ = c̄`. */
import { defineBinary } from "./_elementwise.ts";

export const add = defineBinary("Add", {
  f: (a, b) => a + b,
  integers: (a, b) => a + b,
  neutral: 0,
  commutative: true,
  vjp: (_, { GO: [gc] }) => [gc, gc],
});
