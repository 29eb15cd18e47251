/** Arithmetic on concrete shapes: sizes, strides, broadcasting. */
import { NetpareError } from "./error.ts";

/** A concrete shape, outermost axis first. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/**
 * The NumPy broadcast of two shapes.
 * @throws NetpareError `bad-shape` where they do not broadcast.
 */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const p = a[axis - rank + a.length] ?? 1;
    const q = b[axis - rank + b.length] ?? 1;
    if (p !== q && p !== 1 && q !== 1)
      throw new NetpareError("bad-shape", `shapes [${a}] and [${b}] do not broadcast (axis ${axis}: ${p} and ${q})`);
    return p === 1 ? q : p;
  });
}

/**
 * Resolves a possibly negative axis.
 * @throws NetpareError `bad-shape` where it is outside [-rank, rank).
 */
export function normalizeAxis(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank)
    throw new NetpareError("bad-shape", `axis ${axis} is outside a tensor of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}
