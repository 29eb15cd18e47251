/** Sum: of any number of inputs, with broadcasting; each gets the cotangent. */
import { defineVariadic } from "./_variadic.ts";

export const sum = defineVariadic("Sum", {
  f: (...values) => values.reduce((a, b) => a + b),
  vjp: (_, { I, GO: [gy] }) => I.map(() => gy),
});
