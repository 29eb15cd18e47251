/**
 * Slice: `y[…, i, …] = x[…, start + i·step, …]` on each given axis, bounds clamped as in NumPy.
 * Gradient: Pad by what was cut off; a step s is first undone by s - 1 zeros behind each element, a negative one by reversing.
 */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis, type Shape } from "../tensor/shape.ts";
import { indicesTo, takeAxes } from "../tensor/take.ts";
import { int64s } from "../tensor/tensor.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { constantFact, type Fact, fact, knownDims, knownIntegers } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** What is asked of one axis, in ONNX's numbers. */
interface Bound {
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

/** The indices `start, start + step, …`, `count` of them. */
interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

export const slice = defineOp("Slice", {
  inputs: ["data", "starts", "ends", "axes?", "steps?"],
  attributes: {},
  infer({ I: [x, ...rest] }) {
    const bounds = boundsOf(x.shape.length, rest);
    const shape = x.shape.map((dim, axis) => (bounds ? cut(dim, bounds.get(axis)) : "?"));
    const content = x.shape.length === 1 && bounds ? cutContent(x.dims, bounds.get(0)) : undefined;
    return [content ? { ...fact(x.dtype, shape), dims: content } : fact(x.dtype, shape)];
  },
  channels: {
    link({ I: [x, ...rest] }, links) {
      const bounds = boundsOf(x.shape.length, rest);
      x.shape.forEach((dim, axis) => {
        const range = bounds && rangeOf(bounds.get(axis), dim);
        if (range?.step === 1) links.tie(outputAxis(0, axis), inputAxis(0, axis), (i) => range.start + i);
      });
    },
    shrink({ I: [x, ...rest] }, kept) {
      const bounds = boundsOf(x.shape.length, rest);
      if (bounds === undefined) return {};
      const shrunken = [...bounds].map(([axis, bound]) => {
        const range = rangeOf(bound, x.shape[axis]!);
        if (range?.step !== 1) return [bound.start, bound.end];
        const start = kept(inputAxis(0, axis)).filter((i) => i < range.start).length;
        return [start, start + kept(outputAxis(0, axis)).length];
      });
      if (shrunken.flat().some((bound) => typeof bound === "string")) return {};
      const input = (at: 0 | 1) => int64s(shrunken.map((pair) => Number(pair[at])));
      return {
        inputs: new Map([
          [1, input(0)],
          [2, input(1)],
        ]),
      };
    },
  },
  vjp(g, { I: [x, ...rest], GO: [gy] }) {
    const shape = g.shape(x);
    const bounds = boundsOf(
      shape.length,
      rest.map((name) => (name === undefined ? undefined : g.fact(name))),
    );
    const ranges = shape.map((dim, axis) => bounds && rangeOf(bounds.get(axis), dim));
    if (!ranges.every((range) => range !== undefined))
      throw new NetpareError("unsupported", "the gradient of a Slice needs constant bounds");
    return [unslice(g, gy, shape, ranges), null, null, null, null];
  },
  evaluate({ I: [x, ...rest] }) {
    const bounds = boundsOf(
      x.shape.length,
      rest.map((t) => t && constantFact(t)),
    );
    const maps = x.shape.map((dim, axis) => {
      const { start, step, count } = rangeOf(bounds?.get(axis), dim)!;
      return indicesTo(count).map((i) => start + i * step);
    });
    return [takeAxes(x, maps)];
  },
});

/** The bounds by axis, undefined where axes or steps are not known. Bounds that are not known are "?". */
function boundsOf(rank: number, inputs: readonly (Fact | undefined)[]): Map<number, Bound> | undefined {
  const [starts, ends, axes, steps] = inputs;
  const count = [starts, ends, axes].map((input) => input?.shape?.[0]).find((dim) => typeof dim === "number");
  const at = axes ? knownIntegers(axes) : indicesTo(typeof count === "number" ? count : rank);
  const by = steps ? knownIntegers(steps) : at?.map(() => 1);
  if (at === undefined || by === undefined) return undefined;
  const [from, to] = [knownDims(starts), knownDims(ends)];
  if (by.includes(0)) throw new NetpareError("bad-model", "a step is 0, expected another number");
  return new Map(
    at.map((axis, i) => [
      normalizeAxis(axis, rank),
      { start: from?.[i] ?? "?", end: to?.[i] ?? "?", step: by[i] ?? 1 },
    ]),
  );
}

/** The indices that a bound takes of an axis; all where the axis has none, undefined where that is not known. */
function rangeOf(bound: Bound | undefined, dim: Dim): Range | undefined {
  if (typeof dim === "string") return undefined;
  if (bound === undefined) return { start: 0, step: 1, count: dim };
  const { start, end, step } = bound;
  if (typeof start === "string" || typeof end === "string") return undefined;
  const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1];
  const clamp = (index: number) => Math.min(Math.max(index < 0 ? index + dim : index, low), high);
  const first = clamp(start);
  return { start: first, step, count: Math.max(0, Math.ceil((clamp(end) - first) / step)) };
}

function cut(dim: Dim, bound: Bound | undefined): Dim {
  if (bound === undefined) return dim;
  if (typeof dim === "number") return rangeOf(bound, dim)?.count ?? "?";
  const whole = bound.start === 0 && bound.step === 1 && (bound.end === dim || Number(bound.end) >= 2 ** 31 - 1);
  return whole && dim !== "?" ? dim : "?";
}

function cutContent(dims: readonly Dim[] | undefined, bound: Bound | undefined): readonly Dim[] | undefined {
  const range = dims && rangeOf(bound, dims.length);
  return range && indicesTo(range.count).map((i) => dims[range.start + i * range.step]!);
}

/** Puts `gy` back where `ranges` took it from, among zeros: `(counts) -> shape`. */
function unslice(g: TypedBuilder, gy: string, shape: Shape, ranges: readonly Range[]): string {
  const forward = ranges.map((range) =>
    range.step > 0 ? range : { ...range, start: range.start + (range.count - 1) * range.step, step: -range.step },
  );
  const reversed = ranges.flatMap(({ step }, axis) => (step < 0 ? [axis] : []));
  const ordered = reversed.length > 0 ? reverse(g, gy, reversed) : gy;
  const spread = forward.some(({ step }) => step > 1) ? interleave(g, ordered, forward) : ordered;
  const before = forward.map(({ start, count }) => (count === 0 ? 0 : start));
  const after = shape.map((dim, axis) => dim - before[axis]! - g.shape(spread)[axis]!);
  if ([...before, ...after].every((amount) => amount === 0)) return spread;
  return g.op("Pad", [spread, g.initializer("pads", int64s([...before, ...after]))]);
}

function reverse(g: TypedBuilder, x: string, axes: readonly number[]): string {
  const each = (name: string, value: number) => g.initializer(name, int64s(axes.map(() => value)));
  const bounds = [each("starts", -1), each("ends", -(2 ** 31)), g.initializer("axes", int64s(axes)), each("steps", -1)];
  return g.op("Slice", [x, ...bounds]);
}

/** Zeros behind each element: `(…, n, …) -> (…, n·step, …)`. */
function interleave(g: TypedBuilder, x: string, ranges: readonly Range[]): string {
  const shape = g.shape(x);
  const split = g.reshape(
    x,
    shape.flatMap((dim) => [dim, 1]),
  );
  const pads = [...shape.flatMap(() => [0, 0]), ...ranges.flatMap(({ step }) => [0, step - 1])];
  const padded = g.op("Pad", [split, g.initializer("pads", int64s(pads))]);
  return g.reshape(
    padded,
    shape.map((dim, axis) => dim * ranges[axis]!.step),
  );
}
