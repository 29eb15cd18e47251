/**
 * Pad: `pads` = amounts before each axis, then amounts behind; negative ones cut off. Modes: constant, reflect (without the edge
 * itself), edge, wrap. Gradient: the opposite Pad for a constant; for the other modes what was read twice is summed.
 */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis } from "../tensor/shape.ts";
import { indicesTo, takeAxes } from "../tensor/take.ts";
import { int64s, toIntegers } from "../tensor/tensor.ts";
import { untakeAxis } from "./_axis-maps.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { type Fact, fact, knownIntegers } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

type Amounts = readonly (readonly [before: number, after: number])[];

export const pad = defineOp("Pad", {
  inputs: ["data", "pads", "constant_value?", "axes?"],
  attributes: { mode: attr.string("constant") },
  infer({ I: [x, pads, , axes] }) {
    const amounts = knownAmounts(x.shape.length, pads, axes);
    return [
      fact(
        x.dtype,
        x.shape.map((dim, axis) => padded(dim, amounts?.[axis])),
      ),
    ];
  },
  channels: {
    link({ a, I: [x, pads, , axes] }, links) {
      knownAmounts(x.shape.length, pads, axes)?.forEach(([before, after], axis) => {
        const plain = before === 0 && after === 0;
        if (plain || (a.mode === "constant" && before >= 0 && after >= 0))
          links.tie(inputAxis(0, axis), outputAxis(0, axis), (i) => before + i);
      });
    },
    shrink({ a, I: [x, pads, , axes], O: [y] }, kept) {
      const rank = x.shape.length;
      const amounts = knownAmounts(rank, pads, axes);
      if (amounts === undefined) return {};
      const at = axes ? knownIntegers(axes)!.map((axis) => normalizeAxis(axis, rank)) : indicesTo(rank);
      const left = at.map((axis) => {
        const [before, after] = amounts[axis]!;
        const dim = y.shape[axis]!;
        if (a.mode !== "constant" || before < 0 || after < 0 || typeof dim === "string")
          return [before, after] as const;
        const slots = kept(outputAxis(0, axis));
        return [slots.filter((i) => i < before).length, slots.filter((i) => i >= dim - after).length] as const;
      });
      return { inputs: new Map([[1, int64s([...left.map(([before]) => before), ...left.map(([, after]) => after)])]]) };
    },
  },
  vjp(g, { a, I: [x, pads, value, axes], GO: [gy], wants }) {
    const shape = g.shape(x);
    const amounts = knownAmounts(shape.length, g.fact(pads), axes === undefined ? undefined : g.fact(axes));
    if (amounts === undefined) throw new NetpareError("unsupported", "the gradient of a Pad needs constant pads");
    if (a.mode !== "constant")
      return [
        amounts.reduceRight((all, amount, axis) => {
          const plain = amount[0] === 0 && amount[1] === 0;
          return plain ? all : untakeAxis(g, all, axis, sources(a.mode, amount, shape[axis]!), shape[axis]!);
        }, gy),
        null,
        null,
        null,
      ];
    const gx = wants(0) || wants(2) ? unpad(g, gy, amounts) : null;
    if (value === undefined || !wants(2)) return [gx, null, null, null];
    const all = (name: string) => g.reduceSum(name, indicesTo(shape.length), false);
    return [gx, null, g.reshape(g.sub(all(gy), all(gx!)), g.shape(value)), null];
  },
  evaluate({ a, I: [x, pads, value, axes] }) {
    const amounts = expand(x.shape.length, toIntegers(pads), axes && toIntegers(axes));
    const maps = x.shape.map((dim, axis) => sources(a.mode, amounts[axis]!, dim));
    return [takeAxes(x, maps, value)];
  },
});

function knownAmounts(rank: number, pads: Fact | undefined, axes: Fact | undefined): Amounts | undefined {
  const given = knownIntegers(pads);
  const at = axes && knownIntegers(axes);
  return given === undefined || (axes && at === undefined) ? undefined : expand(rank, given, at);
}

function expand(rank: number, pads: readonly number[], axes: readonly number[] = indicesTo(rank)): Amounts {
  if (pads.length !== 2 * axes.length)
    throw new NetpareError("bad-model", `pads has ${pads.length} numbers, expected ${2 * axes.length}`);
  const amounts = new Array<Amounts[number]>(rank).fill([0, 0]);
  axes.forEach((axis, i) => {
    amounts[normalizeAxis(axis, rank)] = [pads[i]!, pads[i + axes.length]!];
  });
  return amounts;
}

function padded(dim: Dim, amount: Amounts[number] | undefined): Dim {
  if (amount === undefined) return "?";
  const [before, after] = amount;
  if (typeof dim === "string") return before === 0 && after === 0 ? dim : "?";
  if (dim + before + after < 0)
    throw new NetpareError("bad-shape", `pads ${before} and ${after} cut more off than the ${dim} there are`);
  return dim + before + after;
}

/** For each index of the padded axis the index it reads, -1 for the constant. */
function sources(mode: string, [before, after]: Amounts[number], dim: number): number[] {
  const inside = (i: number) => i >= 0 && i < dim;
  const modulo = (i: number, n: number) => ((i % n) + n) % n;
  const period = Math.max(1, 2 * (dim - 1));
  const read: Readonly<Record<string, (i: number) => number>> = {
    constant: (i) => (inside(i) ? i : -1),
    edge: (i) => Math.min(Math.max(i, 0), dim - 1),
    wrap: (i) => modulo(i, dim),
    reflect: (i) => (modulo(i, period) < dim ? modulo(i, period) : period - modulo(i, period)),
  };
  const source = read[mode];
  if (source === undefined)
    throw new NetpareError("bad-model", `mode is '${mode}', expected constant, reflect, edge or wrap`);
  return indicesTo(dim + before + after).map((i) => source(i - before));
}

function unpad(g: TypedBuilder, gy: string, amounts: Amounts): string {
  const opposite = [...amounts.map(([before]) => -before), ...amounts.map(([, after]) => -after)];
  return g.op("Pad", [gy, g.initializer("pads", int64s(opposite))]);
}
