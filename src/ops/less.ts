/** Less: `a < b` with broadcasting. */
import { defineComparison } from "./_elementwise.ts";

export const less = defineComparison("Less", (a, b) => a < b);
