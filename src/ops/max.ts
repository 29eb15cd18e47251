/** Max: the greatest of any number of inputs, with broadcasting; equal winners share the cotangent. */
import { defineVariadic, toWinners } from "./_variadic.ts";

export const max = defineVariadic("Max", { f: Math.max, vjp: toWinners });
