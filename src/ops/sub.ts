/** Sub: `c = a - b` with broadcasting; `ā = c̄`, `b̄ = -c̄`. */
import { defineBinary } from "./_elementwise.ts";

export const sub = defineBinary("Sub", {
  f: (a, b) => a - b,
  integers: (a, b) => a - b,
  neutral: 0,
  vjp: (g, { GO: [gc], wants }) => [gc, wants(1) ? g.neg(gc) : null],
});
