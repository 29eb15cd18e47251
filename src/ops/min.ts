/** Min: the least of any number of inputs, with broadcasting; equal winners share the cotangent. */
import { defineVariadic, toWinners } from "./_variadic.ts";

export const min = defineVariadic("Min", { f: Math.min, vjp: toWinners });
