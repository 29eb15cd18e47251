/**
 * What elementwise operators share: inference, channel rule and reference by broadcasting, and definitions of a whole
 * operator from the function it applies. Floats are computed in doubles; integer arithmetic is exact and wraps.
 */
import { int } from "../graph/attributes.ts";
import type { Dim } from "../graph/graph.ts";
import { type DType, elementBits, isBigInt, isFloat } from "../tensor/dtype.ts";
import { elementTypeOf } from "../tensor/element-type.ts";
import { broadcastShapes, type Shape, sameShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { type Tensor, tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import type { AttributeSchema, AttributesOf } from "./attribute-schema.ts";
import { type ChannelLinks, inputAxis, outputAxis } from "./channels.ts";
import {
  defineOp,
  type InferredCall,
  type InputNames,
  type NotDifferentiable,
  type Vjp,
  zeroGradient,
} from "./define-op.ts";
import { broadcastDims, type Fact, fact, knownDims, type ShapedFact } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** The type of the broadcast of all inputs, in `dtype` or the first input's. */
export function inferBroadcast(inputs: readonly (ShapedFact | undefined)[], dtype?: DType): readonly [Fact] {
  const given = inputs.filter((input) => input !== undefined);
  const shape = given.reduce<ShapedFact["shape"]>((all, input) => broadcastDims(all, input.shape), []);
  return [fact(dtype ?? given[0]?.dtype ?? "float32", shape)];
}

/** Ties each axis of each input to the output's, broadcast axes of size 1 aside. */
export function linkBroadcast<S extends AttributeSchema, N extends InputNames>(
  call: InferredCall<S, N>,
  links: ChannelLinks,
): void {
  const rank = call.O[0].shape.length;
  (call.I as readonly (ShapedFact | undefined)[]).forEach((input, index) => {
    input?.shape.forEach((dim, axis) => {
      const outer = axis + rank - input.shape.length;
      if (dim === call.O[0].shape[outer]) links.tie(inputAxis(index, axis), outputAxis(0, outer));
      else if (dim !== 1) links.pin(outputAxis(0, outer));
    });
  });
}

/** For each element of `to`, the offset in a tensor of shape `from` that broadcasts to it. */
export function broadcastOffsets(from: Shape, to: Shape): Int32Array {
  const strides = stridesOf(from);
  const offsets = new Int32Array(sizeOf(to));
  const lead = to.length - from.length;
  let block = 1;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const dim = to[axis]!;
    const stride = axis >= lead && from[axis - lead] !== 1 ? strides[axis - lead]! : 0;
    // offsets[0..block) are done for the inner axes; repeat them for each index of this one.
    for (let i = 1; i < dim; i++) for (let j = 0; j < block; j++) offsets[i * block + j] = offsets[j]! + i * stride;
    block *= dim;
  }
  return offsets;
}

/** The elements of `x` in doubles, repeated as broadcasting to `shape` repeats them. */
export function broadcastNumbers(x: Tensor, shape: Shape): Float64Array {
  const values = toNumbers(x);
  if (sameShape(x.shape, shape)) return values;
  const offsets = broadcastOffsets(x.shape, shape);
  return new Float64Array(offsets.length).map((_, i) => values[offsets[i]!]!);
}

/** The shape of the broadcast of all inputs. */
export function broadcastShape(inputs: readonly Tensor[]): Shape {
  return inputs.reduce<Shape>((all, input) => broadcastShapes(all, input.shape), []);
}

/** `f` over the broadcast of `inputs`, in doubles, rounded to `dtype`. */
export function mapBroadcast(
  inputs: readonly Tensor[],
  f: (...values: number[]) => number,
  dtype: DType = inputs[0]!.dtype,
): Tensor {
  const shape = broadcastShape(inputs);
  const all = inputs.map((input) => broadcastNumbers(input, shape));
  const [a, b, c] = all;
  const out = new Float64Array(sizeOf(shape));
  // Calls with a spread list are ten times slower.
  if (all.length === 2) for (let i = 0; i < out.length; i++) out[i] = f(a![i]!, b![i]!);
  else if (all.length === 3) for (let i = 0; i < out.length; i++) out[i] = f(a![i]!, b![i]!, c![i]!);
  else for (let i = 0; i < out.length; i++) out[i] = f(...all.map((values) => values[i]!));
  return tensorOf(dtype, shape, out);
}

/** `f` on every element, in doubles, rounded to `dtype`. */
export function mapTensor(x: Tensor, f: (value: number) => number, dtype: DType = x.dtype): Tensor {
  return tensorOf(dtype, x.shape, toNumbers(x).map(f));
}

/** The elements of an integer or bool tensor, exact. */
export function toBigInts(x: Tensor): readonly bigint[] {
  return Array.from<number | bigint, bigint>(x.data, BigInt);
}

/** An integer tensor from exact values, which wrap. */
export function tensorOfBigInts(dtype: DType, shape: Shape, values: readonly bigint[]): Tensor {
  if (isBigInt(dtype)) {
    const out = tensor(dtype, shape);
    values.forEach((value, i) => {
      out.data[i] = value;
    });
    return out;
  }
  if (dtype === "bool") return tensorOf(dtype, shape, values.map(Boolean).map(Number));
  return tensorOf(
    dtype,
    shape,
    values.map((value) => Number(BigInt.asUintN(elementBits(dtype), value))),
  );
}

/** `f` on each pair of the broadcast of two integer tensors, exact, wrapped to `dtype`. */
export function mapIntegers(
  inputs: readonly Tensor[],
  f: (a: bigint, b: bigint) => bigint,
  dtype: DType = inputs[0]!.dtype,
): Tensor {
  const shape = broadcastShape(inputs);
  const [a, b] = inputs.map((input) => {
    const values = toBigInts(input);
    return Array.from(broadcastOffsets(input.shape, shape), (offset) => values[offset]!);
  });
  return tensorOfBigInts(
    dtype,
    shape,
    a!.map((value, i) => f(value, b![i]!)),
  );
}

/** What an operator of one tensor says of itself. */
export interface UnarySpec<S extends AttributeSchema> {
  readonly attributes: S;
  readonly f: (x: number, a: AttributesOf<S>) => number;
  readonly vjp: Vjp<S, readonly ["X"]> | NotDifferentiable;
}

/** Defines the operator that applies `f` to each element. */
export function defineUnary<S extends AttributeSchema>(op: string, { attributes, f, vjp }: UnarySpec<S>) {
  return defineOp(op, {
    inputs: ["X"],
    attributes,
    infer: ({ I }) => inferBroadcast(I),
    channels: { link: linkBroadcast },
    vjp,
    evaluate: ({ a, I: [x] }) => [mapTensor(x, (v) => f(v, a))],
  });
}

/** What an operator of two tensors says of itself. */
export interface BinarySpec {
  /** On floats, and on integers where `integers` is left out. */
  readonly f: (a: number, b: number) => number;
  readonly integers?: (a: bigint, b: bigint) => bigint;
  /** The number that changes nothing on the right, and on the left too where `commutative`: a dynamic dimension stays. */
  readonly neutral?: number;
  readonly commutative?: boolean;
  readonly vjp: Vjp<Record<never, never>, readonly ["A", "B"]>;
}

/** Defines the arithmetic operator that applies `f` to each pair of the broadcast of its inputs. */
export function defineBinary(op: string, spec: BinarySpec) {
  const { f, integers, vjp } = spec;
  return defineOp(op, {
    inputs: ["A", "B"],
    attributes: {},
    weights: [0, 1],
    infer({ I }) {
      const [type] = inferBroadcast(I);
      const dims = shapeArithmetic(spec, I);
      return [{ ...type, ...(dims && { dims }) }];
    },
    channels: { link: linkBroadcast },
    vjp,
    evaluate: ({ I }) => [integers && !isFloat(I[0].dtype) ? mapIntegers(I, integers) : mapBroadcast(I, f)],
  });
}

/** What the operator makes of integer vectors that may name dynamic dimensions. */
function shapeArithmetic(spec: BinarySpec, [a, b]: readonly [ShapedFact, ShapedFact]): readonly Dim[] | undefined {
  const p = knownDims(a);
  const q = knownDims(b);
  if (isFloat(a.dtype) || (a.dims ?? b.dims) === undefined || p === undefined || q === undefined) return undefined;
  return Array.from({ length: Math.max(p.length, q.length) }, (_, i) => {
    const x = p.length === 1 ? p[0]! : p[i]!;
    const y = q.length === 1 ? q[0]! : q[i]!;
    if (typeof x === "number" && typeof y === "number") return Math.trunc(spec.f(x, y));
    if (y === spec.neutral) return x;
    return spec.commutative && x === spec.neutral ? y : "?";
  });
}

/** Defines the comparison or logical operator that holds where `f` does. */
export function defineComparison(op: string, f: (a: number | bigint, b: number | bigint) => boolean) {
  return defineOp(op, {
    inputs: ["A", "B"],
    attributes: {},
    infer: ({ I }) => inferBroadcast(I, "bool"),
    channels: { link: linkBroadcast },
    vjp: zeroGradient,
    evaluate: ({ I }) => [
      isBigInt(I[0].dtype)
        ? mapIntegers(I, (a, b) => (f(a, b) ? 1n : 0n), "bool")
        : mapBroadcast(I, (a, b) => (f(a!, b!) ? 1 : 0), "bool"),
    ],
  });
}

/** 1 where two floats are equal, 0 elsewhere, in the dtype of `a`. */
export function equals(g: TypedBuilder, a: string, b: string): string {
  return g.op("Cast", [g.op("Equal", [a, b])], { to: int(elementTypeOf(g.dtype(a))) });
}
