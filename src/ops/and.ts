/** And: both hold, with broadcasting. */
import { defineComparison } from "./_elementwise.ts";

export const and = defineComparison("And", (a, b) => a === 1 && b === 1);
