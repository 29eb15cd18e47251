/** GreaterOrEqual: `a ≥ b` with broadcasting. */
import { defineComparison } from "./_elementwise.ts";

export const greaterOrEqual = defineComparison("GreaterOrEqual", (a, b) => a >= b);
