/** What Sum, Mean, Max and Min share: any number of inputs, folded elementwise under broadcasting. */
import { equals, inferBroadcast, linkBroadcast, mapBroadcast } from "./_elementwise.ts";
import { defineOp, type Vjp } from "./define-op.ts";

/** Defines the operator that folds all inputs by `f`. */
export function defineVariadic(
  op: string,
  {
    f,
    vjp,
  }: { readonly f: (...values: number[]) => number; readonly vjp: Vjp<Record<never, never>, readonly ["inputs..."]> },
) {
  return defineOp(op, {
    inputs: ["inputs..."],
    attributes: {},
    infer: ({ I }) => inferBroadcast(I),
    channels: { link: linkBroadcast },
    vjp,
    evaluate: ({ I }) => [mapBroadcast(I, f)],
  });
}

/** The gradient of Max and Min: inputs equal to the output share its cotangent. */
export const toWinners: Vjp<Record<never, never>, readonly ["inputs..."]> = (g, { I, O: [y], GO: [gy], wants }) => {
  if (I.length === 1) return [gy];
  const winners = I.map((x) => equals(g, x, y));
  const share = g.div(gy, g.op("Sum", winners));
  return winners.map((winner, i) => (wants(i) ? g.mul(winner, share) : null));
};
