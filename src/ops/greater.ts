/** Greater: `a > b` with broadcasting. */
import { defineComparison } from "./_elementwise.ts";

export const greater = defineComparison("Greater", (a, b) => a > b);
