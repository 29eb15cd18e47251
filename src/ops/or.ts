/** Or: either holds, with broadcasting. */
import { defineComparison } from "./_elementwise.ts";

export const or = defineComparison("Or", (a, b) => a === 1 || b === 1);
