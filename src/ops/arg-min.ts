/** ArgMin: the index of the least element along an axis. */
import { defineArg } from "./_arg.ts";

export const argMin = defineArg("ArgMin", (a, b) => a < b);
