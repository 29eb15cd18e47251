/**
 * Gather: `y = x[…, indices, …]` along an axis; `y: x[:axis] + indices + x[axis+1:]`, negative indices from the end.
 * Gradient: entries read more than once sum theirs (weight sharing: Chen 2015, arXiv:1504.04788; Han 2016, arXiv:1510.00149).
 */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis, sizeOf } from "../tensor/shape.ts";
import { indicesTo, takeAxes } from "../tensor/take.ts";
import { tensor, tensorOf, toIntegers } from "../tensor/tensor.ts";
import { scatterAdd, untakeAxis } from "./_axis-maps.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { type Fact, fact, knownDims, knownIntegers, type ShapedFact } from "./fact.ts";

export const gather = defineOp("Gather", {
  inputs: ["data", "indices"],
  attributes: { axis: attr.int(0) },
  weights: [0],
  infer({ a, I: [x, indices] }) {
    const axis = normalizeAxis(a.axis, x.shape.length);
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return [{ ...fact(x.dtype, shape), ...gatheredContent(x, indices) }];
  },
  channels: {
    link({ a, I: [x, indices] }, links) {
      const at = normalizeAxis(a.axis, x.shape.length);
      const inner = indices.shape.length;
      x.shape.forEach((_, axis) => {
        if (axis !== at) links.tie(inputAxis(0, axis), outputAxis(0, axis < at ? axis : axis + inner - 1));
      });
      indices.shape.forEach((_, axis) => {
        links.tie(inputAxis(1, axis), outputAxis(0, at + axis));
      });
      const selected = selection(x, indices, at);
      if (selected !== undefined) links.tie(outputAxis(0, at), inputAxis(0, at), (i) => selected[i]);
    },
    shrink({ a, I: [x, indices] }, kept) {
      const at = normalizeAxis(a.axis, x.shape.length);
      const selected = selection(x, indices, at);
      if (selected === undefined) return {};
      const places = new Map(kept(inputAxis(0, at)).map((slot, place) => [slot, place]));
      const left = kept(outputAxis(0, at)).map((i) => places.get(selected[i]!)!);
      return { inputs: new Map([[1, tensorOf(indices.dtype, [left.length], left)]]) };
    },
  },
  vjp(g, { a, I: [x, indices], GO: [gy], wants }) {
    if (!wants(0)) return [null, null];
    const shape = g.shape(x);
    const axis = normalizeAxis(a.axis, shape.length);
    const lead = sizeOf(shape.slice(0, axis));
    const tail = sizeOf(shape.slice(axis + 1));
    const count = sizeOf(g.shape(indices));
    const flat = g.reshape(gy, [lead, count, tail]);
    const known = lead * tail === 1 ? undefined : knownIntegers(g.fact(indices));
    const summed =
      known === undefined
        ? scatterAdd(g, flat, g.reshape(indices, [count]), shape[axis]!)
        : untakeAxis(g, flat, 1, fromStart(known, shape[axis]!), shape[axis]!);
    return [g.reshape(summed, shape), null];
  },
  evaluate({ a, I: [x, indices] }) {
    const axis = normalizeAxis(a.axis, x.shape.length);
    const dim = x.shape[axis]!;
    const picked = toIntegers(indices);
    const wrong = picked.find((index) => index < -dim || index >= dim);
    if (wrong !== undefined) throw new NetpareError("bad-data", `index ${wrong} is outside an axis of ${dim}`);
    const maps = x.shape.map((size, at) => (at === axis ? fromStart(picked, dim) : indicesTo(size)));
    const y = takeAxes(x, maps);
    return [tensor(x.dtype, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], y.data)];
  },
});

const fromStart = (indices: readonly number[], dim: number) => indices.map((i) => (i < 0 ? i + dim : i));

/** The slots that constant indices select of an axis that is no codebook; undefined where that is not known. */
function selection(x: ShapedFact, indices: ShapedFact, axis: number): readonly number[] | undefined {
  const dim = x.shape[axis]!;
  if (x.constant !== undefined || indices.shape.length !== 1 || typeof dim === "string") return undefined;
  const known = knownIntegers(indices);
  return known && fromStart(known, dim);
}

/** Entries read from a shape vector. */
function gatheredContent(x: ShapedFact, indices: ShapedFact): Pick<Fact, "dims"> {
  const dims = knownDims(x);
  const picked = knownIntegers(indices);
  if (x.constant !== undefined || dims === undefined || picked === undefined || x.shape.length !== 1) return {};
  if (indices.shape.length > 1) return {};
  const read: (Dim | undefined)[] = fromStart(picked, dims.length).map((i) => dims[i]);
  return read.every((dim) => dim !== undefined) ? { dims: read } : {};
}
