/**
 * The adjoint of taking elements along an axis, which sums what was taken from the same place: a product with a 0/1 matrix
 * where that is small, else a scatter-add.
 */
import { int } from "../graph/attributes.ts";
import { sizeOf } from "../tensor/shape.ts";
import { int64s, tensor, tensorOf } from "../tensor/tensor.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** Largest 0/1 matrix, in elements, that beats a scatter-add in onnxruntime. */
const oneHotLimit = 2 ** 15;

/**
 * The adjoint of taking `map` along an axis: `x[…, m, …] = Σ_{i: map[i] = m} gy[…, i, …]` for `m < size`.
 * `gy: (…, map.length, …)`.
 */
export function untakeAxis(g: TypedBuilder, gy: string, axis: number, map: readonly number[], size: number): string {
  const shape = g.shape(gy);
  const count = map.length;
  const lead = sizeOf(shape.slice(0, axis));
  const tail = sizeOf(shape.slice(axis + 1));
  const result = shape.map((dim, at) => (at === axis ? size : dim));
  if (size * count > oneHotLimit) {
    const indices = g.initializer("indices", int64s(map));
    return g.reshape(scatterAdd(g, g.reshape(gy, [lead, count, tail]), indices, size), result);
  }
  const matrix = (rows: number, columns: number, one: (i: number) => number) => {
    const values = new Float64Array(rows * columns);
    map.forEach((_, i) => {
      values[one(i)] = 1;
    });
    return g.initializer("one_hot", tensorOf(g.dtype(gy), [rows, columns], values));
  };
  if (tail === 1) {
    const flat = g.op("MatMul", [g.reshape(gy, [lead, count]), matrix(count, size, (i) => i * size + map[i]!)]);
    return g.reshape(flat, result);
  }
  const oneHot = matrix(size, count, (i) => map[i]! * count + i);
  return g.reshape(g.op("MatMul", [oneHot, g.reshape(gy, [lead, count, tail])]), result);
}

/** `y[l, indices[p], t] += gy[l, p, t]` over zeros: `gy: (l, p, t)`, `indices: (p)`, `y: (l, size, t)`. */
export function scatterAdd(g: TypedBuilder, gy: string, indices: string, size: number): string {
  const [lead, count, tail] = g.shape(gy) as readonly [number, number, number];
  if (lead === 1 && tail === 1) {
    const zeros = g.initializer("zeros", tensor(g.dtype(gy), [size]));
    const inputs = [zeros, indices, g.reshape(gy, [count])];
    return g.reshape(g.op("ScatterElements", inputs, { axis: int(0), reduction: add }), [1, size, 1]);
  }
  const zeros = g.initializer("zeros", tensor(g.dtype(gy), [lead, size, tail]));
  const shape = g.initializer("shape", int64s([lead, count, tail]));
  const spread = g.op("Expand", [g.reshape(indices, [1, count, 1]), shape]);
  return g.op("ScatterElements", [zeros, spread, gy], { axis: int(1), reduction: add });
}

const add = { kind: "string", value: "add" } as const;
