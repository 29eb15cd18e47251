/** Range: `start, start + delta, …` up to but without `limit`. */

import { indicesTo } from "../tensor/take.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { defineOp } from "./define-op.ts";
import { type Fact, fact, knownDims } from "./fact.ts";

export const range = defineOp("Range", {
  inputs: ["start", "limit", "delta"],
  attributes: {},
  infer({ I: [start, limit, delta] }) {
    const [from, to, by] = [start, limit, delta].map(numberOf);
    if (from !== undefined && to !== undefined && by !== undefined) return [fact(start.dtype, [count(from, to, by)])];
    const upTo = from === 0 && by === 1 ? knownDims(limit)?.[0] : undefined;
    return [fact(start.dtype, [upTo ?? "?"])];
  },
  vjp: { notDifferentiable: "its length depends on its inputs" },
  evaluate({ I: [start, limit, delta] }) {
    const [from, to, by] = [start, limit, delta].map((t) => toNumbers(t)[0]!) as [number, number, number];
    const n = count(from, to, by);
    return [
      tensorOf(
        start.dtype,
        [n],
        indicesTo(n).map((i) => from + i * by),
      ),
    ];
  },
});

const count = (from: number, to: number, by: number) => Math.max(0, Math.ceil((to - from) / by));

function numberOf(value: Fact): number | undefined {
  const dim = value.constant ? toNumbers(value.constant)[0] : value.dims?.[0];
  return typeof dim === "number" ? dim : undefined;
}
