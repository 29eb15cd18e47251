/**
 * Resize: interpolation along each axis by a constant matrix, `Y = M_1 ⊗ M_2 ⊗ … · X` (rows: _interpolation), so that
 * `X̄ = M_1ᵀ ⊗ M_2ᵀ ⊗ … · Ȳ`: a MatMul an axis, or a sum over blocks where every element is repeated a whole number of times.
 */
import { ints } from "../graph/attributes.ts";
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis, type Shape, sizeOf } from "../tensor/shape.ts";
import { int64s, type Tensor, tensorOf, toIntegers, toNumbers } from "../tensor/tensor.ts";
import { interpolationRows, type ResizedAxis, type Row } from "./_interpolation.ts";
import { multiplyAxis } from "./_spatial.ts";
import { type AttributesOf, attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { type Fact, fact, knownDims } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

const attributes = {
  mode: attr.string("nearest"),
  coordinate_transformation_mode: attr.string("half_pixel"),
  nearest_mode: attr.string("round_prefer_floor"),
  cubic_coeff_a: attr.float(-0.75),
  exclude_outside: attr.int(0),
  extrapolation_value: attr.float(0),
  // Of opsets 18 and later, honoured where present.
  antialias: attr.int(0),
  axes: attr.ints(),
  keep_aspect_ratio_policy: attr.string("stretch"),
};
type Settings = AttributesOf<typeof attributes>;

export const resize = defineOp("Resize", {
  inputs: ["X", "roi?", "scales?", "sizes?"],
  attributes,
  infer({ a, I: [x, , scales, sizes] }) {
    if (x.shape.every((dim) => typeof dim === "number")) {
      const known = constants(scales, sizes);
      if (known)
        return [
          fact(
            x.dtype,
            resizedAxes(a, x.shape, known).map((axis) => axis.output),
          ),
        ];
    }
    return [fact(x.dtype, dynamicDims(a, x.shape, scales, sizes))];
  },
  channels: {
    link({ I: [x], O: [y] }, links) {
      x.shape.forEach((dim, axis) => {
        if (axis < 2 && dim === y.shape[axis]) links.tie(inputAxis(0, axis), outputAxis(0, axis));
      });
    },
    shrink({ a, I: [x, , , sizes] }, kept) {
      if (!sizes?.constant) return {};
      const channel = listedAxes(a, x.shape.length).indexOf(1);
      const shrunken = toIntegers(sizes.constant);
      if (channel >= 0) shrunken[channel] = kept(outputAxis(0, 1)).length;
      return { inputs: new Map([[3, int64s(shrunken)]]) };
    },
  },
  vjp(g, { a, I: [x, roi, scales, sizes], GO: [gy] }) {
    const shape = g.shape(x);
    const factOf = (name: string | undefined) => (name === undefined ? undefined : g.fact(name));
    const known = constants(factOf(scales), factOf(sizes), factOf(roi));
    if (known === undefined) throw new NetpareError("unsupported", "its scales or sizes are not constant");
    const axes = resizedAxes(a, shape, known);
    const rows = axes.map((axis) => interpolationRows(a, axis));
    const repeats = rows.map((row, axis) => wholeRepeat(row, shape[axis]!));
    if (shape.length === 4 && repeats[0] === 1 && repeats[1] === 1 && repeats.every((repeat) => repeat !== undefined)) {
      const block = ints(repeats.slice(2) as number[]);
      const means = g.op("AveragePool", [gy], { kernel_shape: block, strides: block });
      return [g.scale(means, repeats[2]! * repeats[3]!)];
    }
    return [
      axes.reduce((name, { input }, axis) => transposedProduct(g, name, axis, rows[axis]!, input), gy),
      null,
      null,
      null,
    ];
  },
  evaluate({ a, I: [x, roi, scales, sizes] }) {
    const axes = resizedAxes(a, x.shape, { scales, sizes, roi });
    let values = toNumbers(x);
    const shape = [...x.shape];
    const outside: number[][] = [];
    axes.forEach((axis, at) => {
      const rows = interpolationRows(a, axis);
      values = applyRows(values, shape, at, rows);
      shape[at] = axis.output;
      outside[at] = rows.flatMap((row, i) => (row.outside ? [i] : []));
    });
    if (outside.some((rows) => rows.length > 0)) extrapolate(values, shape, outside, a.extrapolation_value);
    return [tensorOf(x.dtype, shape, values)];
  },
});

interface Constants {
  readonly scales: Tensor | undefined;
  readonly sizes: Tensor | undefined;
  readonly roi: Tensor | undefined;
}

/** The constant inputs, undefined where one of those given is not known yet. An empty tensor is an absent one. */
function constants(scales: Fact | undefined, sizes: Fact | undefined, roi?: Fact): Constants | undefined {
  const given = [scales, sizes, roi].filter((input) => input !== undefined);
  if (given.some((input) => input.constant === undefined)) return undefined;
  return { scales: scales?.constant, sizes: sizes?.constant, roi: roi?.constant };
}

const isGiven = (t: Tensor | undefined): t is Tensor => t !== undefined && t.data.length > 0;

/** The axes that scales, sizes and roi speak of, in their order. */
function listedAxes(a: Settings, rank: number): number[] {
  return a.axes?.map((axis) => normalizeAxis(axis, rank)) ?? Array.from({ length: rank }, (_, axis) => axis);
}

function resizedAxes(a: Settings, shape: Shape, { scales, sizes, roi }: Constants): ResizedAxis[] {
  const listed = listedAxes(a, shape.length);
  const crops = isGiven(roi) ? toNumbers(roi) : undefined;
  const given = isGiven(sizes) ? toNumbers(sizes) : isGiven(scales) ? toNumbers(scales) : undefined;
  if (given?.length !== listed.length)
    throw new NetpareError("bad-model", `expected ${listed.length} scales or sizes, found ${given?.length ?? "none"}`);
  const wanted = isGiven(sizes) ? sizeScales(a, shape, listed, given) : given;
  return shape.map((input, axis) => {
    const at = listed.indexOf(axis);
    if (at < 0) return { input, output: input, scale: 1, crop: [0, 1] };
    const scale = wanted[at]!;
    const stretched = isGiven(sizes) && a.keep_aspect_ratio_policy === "stretch";
    const output = stretched
      ? given[at]!
      : isGiven(sizes)
        ? Math.floor(scale * input + 0.5)
        : Math.floor(input * scale);
    return { input, output, scale, crop: [crops?.[at] ?? 0, crops?.[at + listed.length] ?? 1] };
  });
}

/** The scales that wanted sizes amount to, equal ones where the aspect ratio is kept. */
function sizeScales(a: Settings, shape: Shape, listed: readonly number[], sizes: Float64Array): Float64Array {
  const scales = sizes.map((size, i) => size / shape[listed[i]!]!);
  if (a.keep_aspect_ratio_policy === "stretch") return scales;
  return scales.fill(a.keep_aspect_ratio_policy === "not_larger" ? Math.min(...scales) : Math.max(...scales));
}

/** Output dimensions where some of the input's are dynamic. */
function dynamicDims(a: Settings, shape: readonly Dim[], scales: Fact | undefined, sizes: Fact | undefined): Dim[] {
  const factors = scales?.constant && toNumbers(scales.constant);
  const wanted = knownDims(sizes);
  return shape.map((dim, axis) => {
    const at = listedAxes(a, shape.length).indexOf(axis);
    if (at < 0) return dim;
    if (wanted !== undefined && wanted.length > 0) return a.keep_aspect_ratio_policy === "stretch" ? wanted[at]! : "?";
    const factor = factors?.[at];
    if (factor === 1) return dim;
    return factor === undefined || typeof dim === "string" ? "?" : Math.floor(dim * factor);
  });
}

/** `k` where output `i` is input `⌊i/k⌋` for every `i`; undefined otherwise. */
function wholeRepeat(rows: readonly Row[], input: number): number | undefined {
  const repeat = rows.length / input;
  const repeats = rows.every(({ taps }, i) =>
    taps.every(({ from, weight }) => weight === 0 || from === Math.floor(i / repeat)),
  );
  return Number.isInteger(repeat) && repeats && rows.every((row) => !row.outside) ? repeat : undefined;
}

/** `Mᵀ` along one axis. */
function transposedProduct(g: TypedBuilder, gy: string, axis: number, rows: readonly Row[], input: number): string {
  if (wholeRepeat(rows, input) === 1) return gy;
  const matrix = new Float64Array(input * rows.length);
  rows.forEach(({ taps }, i) => {
    for (const { from, weight } of taps) matrix[from * rows.length + i]! += weight;
  });
  return multiplyAxis(g, gy, axis, input, matrix);
}

function applyRows(x: Float64Array, shape: Shape, axis: number, rows: readonly Row[]): Float64Array {
  const input = shape[axis]!;
  const tail = sizeOf(shape.slice(axis + 1));
  const lead = sizeOf(shape.slice(0, axis));
  const y = new Float64Array(lead * rows.length * tail);
  for (let l = 0; l < lead; l++)
    rows.forEach(({ taps }, i) => {
      for (const { from, weight } of taps)
        for (let t = 0; t < tail; t++)
          y[(l * rows.length + i) * tail + t]! += weight * x[(l * input + from) * tail + t]!;
    });
  return y;
}

/** Writes `value` wherever the coordinate on some axis lies outside. */
function extrapolate(y: Float64Array, shape: Shape, outside: readonly (readonly number[])[], value: number): void {
  let tail = y.length;
  shape.forEach((dim, axis) => {
    tail /= dim;
    const rows = new Set(outside[axis]);
    if (rows.size > 0) for (let i = 0; i < y.length; i++) if (rows.has(Math.floor(i / tail) % dim)) y[i] = value;
  });
}
