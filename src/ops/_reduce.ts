/**
 * What reductions share: which axes go, inference, channel rule, the groups of elements that become one, and the cotangent
 * brought back to the reduced shape with axes of size 1. Axes come as an attribute (most, in opset 17) or as an input.
 */
import type { Dim } from "../graph/graph.ts";
import { normalizeAxis, type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { int64s, type Tensor, tensorOf, toIntegers, toNumbers } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact, knownIntegers } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** Where the elements lie that a reduction over `axes` makes one: element `j` of group `i` at `starts[i] + steps[j]`. */
export function groupsOf(shape: Shape, axes: readonly number[]) {
  const strides = stridesOf(shape);
  const along = (chosen: readonly number[]) =>
    chosen.reduce<readonly number[]>(
      (offsets, axis) =>
        offsets.flatMap((at) => Array.from({ length: shape[axis]! }, (_, i) => at + i * strides[axis]!)),
      [0],
    );
  return { starts: along(shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))), steps: along(axes) };
}

/** `shape` with `axes` at size 1, or without them. */
export function reducedShape<D extends Dim>(
  shape: readonly D[],
  axes: readonly number[],
  keepdims: boolean,
): (D | 1)[] {
  return keepdims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** `x` repeated along its axes of size 1 to `shape`. */
export function expand(g: TypedBuilder, x: string, shape: Shape): string {
  return g.op("Expand", [x, g.initializer("shape", int64s(shape))]);
}

const attributes = { axes: attr.ints(), keepdims: attr.int(1), noop_with_empty_axes: attr.int(0) };

function reducedAxes(
  a: { readonly axes: readonly number[] | undefined; readonly noop_with_empty_axes: number },
  given: readonly number[] | undefined,
  rank: number,
): readonly number[] {
  const axes = given ?? a.axes ?? [];
  const all = Array.from({ length: rank }, (_, axis) => axis);
  if (axes.length === 0) return a.noop_with_empty_axes === 1 ? [] : all;
  const normal = axes.map((axis) => normalizeAxis(axis, rank));
  return all.filter((axis) => normal.includes(axis));
}

/** What a gradient of a reduction is given; `y` and `gy` have axes of size 1 where they were reduced. */
export interface Reduced {
  readonly x: string;
  readonly y: string;
  readonly gy: string;
  readonly axes: readonly number[];
  /** Elements in a group. */
  readonly count: number;
}

/** What a reduction says of itself. */
export interface ReductionSpec {
  /** Makes one number of a group; the array is reused between calls. */
  readonly reduce: (group: Float64Array) => number;
  /** Whether a removed slot of a reduced axis is just a term less, as in a sum. */
  readonly sums?: boolean;
  /** The cotangent of `x`. */
  readonly vjp: (g: TypedBuilder, reduced: Reduced) => string;
}

/** Defines the operator that reduces by `reduce`. */
export function defineReduction(op: string, { reduce, sums, vjp }: ReductionSpec) {
  return defineOp(op, {
    inputs: ["data", "axes?"],
    attributes,
    infer({ a, I: [x, given] }) {
      const axes = knownIntegers(given);
      if (given !== undefined && axes === undefined)
        return [fact(x.dtype, a.keepdims === 1 ? x.shape.map(() => "?") : undefined)];
      return [fact(x.dtype, reducedShape(x.shape, reducedAxes(a, axes, x.shape.length), a.keepdims === 1))];
    },
    channels: {
      link({ a, I: [x, given] }, links) {
        const values = knownIntegers(given);
        if (given !== undefined && values === undefined) return;
        const axes = reducedAxes(a, values, x.shape.length);
        let outer = 0;
        x.shape.forEach((_, axis) => {
          if (!axes.includes(axis)) links.tie(inputAxis(0, axis), outputAxis(0, outer++));
          else {
            if (sums) links.free(inputAxis(0, axis));
            outer += a.keepdims;
          }
        });
      },
    },
    vjp(g, { a, I: [x, given], O: [y], GO: [gy] }) {
      const shape = g.shape(x);
      const axes = reducedAxes(a, given === undefined ? undefined : knownIntegers(g.fact(given)), shape.length);
      const kept = reducedShape(shape, axes, true);
      const restore = (name: string) => (a.keepdims === 1 ? name : g.reshape(name, kept));
      const count = sizeOf(axes.map((axis) => shape[axis]!));
      return [vjp(g, { x, y: restore(y), gy: restore(gy), axes, count })];
    },
    evaluate({ a, I: [x, given] }) {
      const axes = reducedAxes(a, given && toIntegers(given), x.shape.length);
      return [tensorOf(x.dtype, reducedShape(x.shape, axes, a.keepdims === 1), reduceGroups(x, axes, reduce))];
    },
  });
}

/** `reduce` of each group of elements along `axes`. */
export function reduceGroups(
  x: Tensor,
  axes: readonly number[],
  reduce: (group: Float64Array) => number,
): Float64Array {
  const values = toNumbers(x);
  const { starts, steps } = groupsOf(x.shape, axes);
  const group = new Float64Array(steps.length);
  return Float64Array.from(starts, (start) => {
    for (let j = 0; j < group.length; j++) group[j] = values[start + steps[j]!]!;
    return reduce(group);
  });
}
