/**
 * Mod: `c = a - b · ⌊a/b⌋`, with the sign of `b`; or with `fmod` truncated, with the sign of `a`.
 * `ā = c̄`, `b̄ = -c̄ · (a - c) / b`.
 */
import { isFloat } from "../tensor/dtype.ts";
import { inferBroadcast, linkBroadcast, mapBroadcast, mapIntegers } from "./_elementwise.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";

export const mod = defineOp("Mod", {
  inputs: ["A", "B"],
  attributes: { fmod: attr.int(0) },
  infer: ({ I }) => inferBroadcast(I),
  channels: { link: linkBroadcast },
  vjp: (g, { I: [a, b], O: [c], GO: [gc], wants }) => [gc, wants(1) ? g.neg(g.mul(gc, g.div(g.sub(a, c), b))) : null],
  evaluate({ a: { fmod }, I }) {
    if (isFloat(I[0].dtype)) return [mapBroadcast(I, (a, b) => (fmod ? a! % b! : ((a! % b!) + b!) % b!))];
    return [mapIntegers(I, (a, b) => (b === 0n ? 0n : fmod ? a % b : ((a % b) + b) % b))];
  },
});
