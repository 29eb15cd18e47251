/** What is known of a value before anything runs: its type, and for constants and shape arithmetic its content. */
import type { Dim, ValueType } from "../graph/graph.ts";
import type { DType } from "../tensor/dtype.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Shape } from "../tensor/shape.ts";
import { type Tensor, toIntegers } from "../tensor/tensor.ts";

/** A value's type, with its content where that is known. */
export interface Fact extends ValueType {
  /** The whole content, for initializers and what is computed from them and from static shapes alone. */
  readonly constant?: Tensor;
  /** The content of an integer scalar or vector that may name dynamic dimensions. */
  readonly dims?: readonly Dim[];
}

/** A fact of known shape. */
export interface ShapedFact extends Fact {
  readonly shape: readonly Dim[];
}

/** The fact of a constant. */
export function constantFact(constant: Tensor): Fact {
  return { dtype: constant.dtype, shape: constant.shape, constant };
}

/** A fact of known type and unknown content. */
export function fact(dtype: DType, shape: readonly Dim[] | undefined): Fact {
  return { dtype, shape };
}

/** The content of an integer scalar or vector, as far as known. */
export function knownDims(value: Fact | undefined): readonly Dim[] | undefined {
  return value?.dims ?? (value?.constant ? toIntegers(value.constant) : undefined);
}

/** The content of an integer scalar or vector where all of it is known. */
export function knownIntegers(value: Fact | undefined): readonly number[] | undefined {
  const dims = knownDims(value);
  return dims?.every((dim) => typeof dim === "number") ? (dims as readonly number[]) : undefined;
}

/** Whether every dimension is a number. */
export function isStatic(shape: readonly Dim[] | undefined): shape is Shape {
  return shape?.every((dim) => typeof dim === "number") ?? false;
}

/**
 * The shape as numbers.
 * @throws NetpareError `bad-shape` where a dimension is dynamic.
 */
export function staticShape(value: ValueType): Shape {
  if (!isStatic(value.shape))
    throw new NetpareError("bad-shape", `a fixed shape is needed here and [${value.shape ?? "?"}] is dynamic`);
  return value.shape;
}

/** Applies size arithmetic to a dimension; a dynamic one stays unknown. */
export function mapDim(dim: Dim, f: (size: number) => number): Dim {
  return typeof dim === "number" ? f(dim) : "?";
}

/** The product of dimensions, "?" where one is dynamic and none is 0; a lone symbol survives factors of 1. */
export function multiplyDims(dims: readonly Dim[]): Dim {
  const symbols = dims.filter((dim) => typeof dim === "string");
  const size = dims.reduce<number>((product, dim) => (typeof dim === "number" ? product * dim : product), 1);
  if (symbols.length === 0 || size === 0) return size;
  return symbols.length === 1 && size === 1 ? symbols[0]! : "?";
}

/**
 * The NumPy broadcast of two shapes with dynamic dimensions; a dynamic dimension against a size above 1 takes that size.
 * @throws NetpareError `bad-shape` where they do not broadcast.
 */
export function broadcastDims(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const p = a[axis - rank + a.length] ?? 1;
    const q = b[axis - rank + b.length] ?? 1;
    if (p === q || q === 1) return p;
    if (p === 1) return q;
    if (typeof p === "string") return typeof q === "string" ? "?" : q;
    if (typeof q === "string") return p;
    throw new NetpareError("bad-shape", `shapes [${a}] and [${b}] do not broadcast (axis ${axis}: ${p} and ${q})`);
  });
}
