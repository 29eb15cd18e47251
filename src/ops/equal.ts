/** Equal: `a = b` with broadcasting. */
import { defineComparison } from "./_elementwise.ts";

export const equal = defineComparison("Equal", (a, b) => a === b);
