/** Mish (Misra 2019, arXiv:1908.08681), an operator of opset 18: `y = x · t`, `t = tanh(softplus x)`; `x̄ = ȳ · (t + x · (1 - t²) · sigmoid x)`. */
import { defineUnary } from "./_elementwise.ts";

export const mish = defineUnary("Mish", {
  attributes: {},
  f: (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  vjp(g, { I: [x], GO: [gy] }) {
    const t = g.op("Tanh", [g.op("Softplus", [x])]);
    const bend = g.mul(g.sub(g.scalar(1, t), g.mul(t, t)), g.op("Sigmoid", [x]));
    return [g.mul(gy, g.add(t, g.mul(x, bend)))];
  },
});
