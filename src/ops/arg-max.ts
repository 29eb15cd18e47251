/** ArgMax: the index of the greatest element along an axis. */
import { defineArg } from "./_arg.ts";

export const argMax = defineArg("ArgMax", (a, b) => a > b);
