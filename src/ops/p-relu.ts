/**
 * PRelu (He et al. 2015, arXiv:1502.01852): `y = x` for `x > 0`, else `s·x` with a slope that broadcasts to `x`;
 * `x̄ = ȳ · (s + (1 - s) · [x > 0])`, `s̄ = ȳ · min(x, 0)`.
 */
import { linkBroadcast, mapBroadcast } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

export const pRelu = defineOp("PRelu", {
  inputs: ["X", "slope"],
  attributes: {},
  weights: [1],
  infer: ({ I: [x] }) => [fact(x.dtype, x.shape)],
  channels: { link: linkBroadcast },
  vjp(g, { I: [x, slope], GO: [gy], wants }) {
    const rest = () => g.sub(g.scalar(1, slope), slope);
    return [
      wants(0) ? g.mul(gy, g.add(slope, g.mul(g.positive(x), rest()))) : null,
      wants(1) ? g.mul(gy, g.op("Min", [x, g.scalar(0, x)])) : null,
    ];
  },
  evaluate: ({ I }) => [mapBroadcast(I, (x, slope) => (x! > 0 ? x! : slope! * x!))],
});
