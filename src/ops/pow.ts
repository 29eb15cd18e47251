/** Pow: `c = aᵇ` with broadcasting, in the dtype of `a`; `ā = c̄ · b · aᵇ⁻¹`, `b̄ = c̄ · c · ln a` for `a ≥ 0`. */
import { int } from "../graph/attributes.ts";
import { isFloat } from "../tensor/dtype.ts";
import { elementTypeOf } from "../tensor/element-type.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { inferBroadcast, linkBroadcast, mapBroadcast, mapIntegers } from "./_elementwise.ts";
import { defineOp } from "./define-op.ts";
import type { TypedBuilder } from "./typed-builder.ts";

export const pow = defineOp("Pow", {
  inputs: ["X", "Y"],
  attributes: {},
  weights: [0, 1],
  infer: ({ I }) => inferBroadcast(I),
  channels: { link: linkBroadcast },
  vjp(g, { I: [a, b], O: [c], GO: [gc], wants }) {
    return [
      wants(0) ? g.mul(gc, slope(g, a, b)) : null,
      // ln 0 would turn the zero of `c` into NaN.
      wants(1) ? g.mul(gc, g.mul(c, g.op("Log", [g.op("Max", [a, g.scalar(1e-38, a)])]))) : null,
    ];
  },
  evaluate: ({ I }) => [
    I.every(({ dtype }) => !isFloat(dtype)) ? mapIntegers(I, integerPower) : mapBroadcast(I, (a, b) => a! ** b!),
  ],
});

/** `b · aᵇ⁻¹` in the dtype of `a`. */
function slope(g: TypedBuilder, a: string, b: string): string {
  const { constant, dtype } = g.fact(b);
  const exponent = constant?.data.length === 1 ? toNumbers(constant)[0]! : undefined;
  if (exponent === 2) return g.scale(a, 2);
  if (exponent !== undefined) return g.scale(g.op("Pow", [a, g.scalar(exponent - 1, a)]), exponent);
  const floatB = dtype === g.dtype(a) ? b : g.op("Cast", [b], { to: int(elementTypeOf(g.dtype(a))) });
  return g.mul(floatB, g.op("Pow", [a, g.sub(floatB, g.scalar(1, a))]));
}

function integerPower(a: bigint, b: bigint): bigint {
  return b < 0n ? BigInt(Math.trunc(Number(a) ** Number(b))) : a ** b;
}
