/** LessOrEqual: `a ≤ b` with broadcasting. */
import { defineComparison } from "./_elementwise.ts";

export const lessOrEqual = defineComparison("LessOrEqual", (a, b) => a <= b);
