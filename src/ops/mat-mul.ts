/**
 * MatMul: `Y = A·B` on the last two axes, the others broadcast; a vector is a row on the left and a column on the right.
 * `Ā = Ȳ·Bᵀ`, `B̄ = Aᵀ·Ȳ`; a plain matrix on the right sees all rows of A as one matrix.
 */
import { int } from "../graph/attributes.ts";
import { NetpareError } from "../tensor/error.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { broadcastOffsets } from "./_elementwise.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { broadcastDims, fact, isStatic } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

export const matMul = defineOp("MatMul", {
  inputs: ["A", "B"],
  attributes: {},
  weights: [0, 1],
  infer({ I: [p, q] }) {
    const [a, b] = [asRows(p.shape), asColumns(q.shape)];
    if (p.shape.length === 0 || q.shape.length === 0)
      throw new NetpareError("bad-shape", `expected vectors or matrices, found shapes [${p.shape}] and [${q.shape}]`);
    const [inner, innerToo] = [a.at(-1), b.at(-2)];
    if (typeof inner === "number" && typeof innerToo === "number" && inner !== innerToo)
      throw new NetpareError("bad-shape", `input has ${inner} features, its weight wants ${innerToo}`);
    const rows = p.shape.length === 1 ? [] : [a.at(-2)!];
    const columns = q.shape.length === 1 ? [] : [b.at(-1)!];
    return [fact(p.dtype, [...broadcastDims(a.slice(0, -2), b.slice(0, -2)), ...rows, ...columns])];
  },
  macs: ({ I: [p], O: [y] }) => (isStatic(p.shape) && isStatic(y.shape) ? sizeOf(y.shape) * p.shape.at(-1)! : 0),
  channels: {
    link({ I: [p, q], O: [y] }, links) {
      const [ranks, rank] = [[p.shape.length, q.shape.length] as const, y.shape.length];
      const innerOfB = Math.max(ranks[1] - 2, 0);
      links.tie(inputAxis(0, ranks[0] - 1), inputAxis(1, innerOfB));
      if (ranks[0] > 1) links.tie(inputAxis(0, ranks[0] - 2), outputAxis(0, ranks[1] > 1 ? rank - 2 : rank - 1));
      if (ranks[1] > 1) links.tie(inputAxis(1, ranks[1] - 1), outputAxis(0, rank - 1));
      const batchAxes = rank - (ranks[0] > 1 ? 1 : 0) - (ranks[1] > 1 ? 1 : 0);
      [p, q].forEach(({ shape }, i) => {
        shape.slice(0, -2).forEach((dim, axis) => {
          const outer = axis + batchAxes - (shape.length - 2);
          if (dim === y.shape[outer]) links.tie(inputAxis(i, axis), outputAxis(0, outer));
        });
      });
    },
  },
  vjp(g, { I: [p, q], O: [y], GO: [gy], wants }) {
    const [a, b] = [asRows(g.shape(p)), asColumns(g.shape(q))];
    const batch = g
      .shape(y)
      .slice(0, g.shape(y).length - (g.shape(p).length > 1 ? 1 : 0) - (g.shape(q).length > 1 ? 1 : 0));
    const given = reshaped(g, gy, [...batch, a.at(-2)!, b.at(-1)!]);
    const [left, right] = [reshaped(g, p, a), reshaped(g, q, b)];
    if (b.length === 2)
      return byMatrix(g, left, right, given, wants).map((name, i) => name && reshaped(g, name, g.shape([p, q][i]!)));
    const back = (name: string, wanted: string) =>
      g.shape(wanted).length === 1 ? sumTo(g, name, g.shape(wanted)[0]!) : name;
    return [
      wants(0) ? back(g.op("MatMul", [given, swapLast(g, right)]), p) : null,
      wants(1) ? back(g.op("MatMul", [swapLast(g, left), given]), q) : null,
    ];
  },
  evaluate({ I: [p, q] }) {
    const [a, b] = [asRows(p.shape), asColumns(q.shape)];
    const [rows, inner] = a.slice(-2) as [number, number];
    const columns = b.at(-1)!;
    const batch = broadcastDims(a.slice(0, -2), b.slice(0, -2)) as number[];
    const [offsetsA, offsetsB] = [broadcastOffsets(a.slice(0, -2), batch), broadcastOffsets(b.slice(0, -2), batch)];
    const [x, w] = [toNumbers(p), toNumbers(q)];
    const y = new Float64Array(sizeOf(batch) * rows * columns);
    for (let n = 0; n < sizeOf(batch); n++)
      for (let i = 0; i < rows; i++) {
        const [fromA, fromB, to] = [
          (offsetsA[n]! * rows + i) * inner,
          offsetsB[n]! * inner * columns,
          (n * rows + i) * columns,
        ];
        for (let k = 0; k < inner; k++)
          for (let j = 0; j < columns; j++) y[to + j]! += x[fromA + k]! * w[fromB + k * columns + j]!;
      }
    const shape = [...batch, ...(p.shape.length > 1 ? [rows] : []), ...(q.shape.length > 1 ? [columns] : [])];
    return [tensorOf(p.dtype, shape, y)];
  },
});

const asRows = <D>(shape: readonly D[]): readonly (D | 1)[] => (shape.length === 1 ? [1, shape[0]!] : shape);
const asColumns = <D>(shape: readonly D[]): readonly (D | 1)[] => (shape.length === 1 ? [shape[0]!, 1] : shape);

/** `left: (…, M, K)`, `right: (K, N)`, `gy: (…, M, N)`. */
function byMatrix(g: TypedBuilder, left: string, right: string, gy: string, wants: (i: number) => boolean) {
  const [inner, columns] = g.shape(right) as [number, number];
  const rows = sizeOf(g.shape(left)) / inner;
  const flat = reshaped(g, gy, [rows, columns]);
  return [
    wants(0) ? reshaped(g, g.op("Gemm", [flat, right], { transB: int(1) }), g.shape(left)) : null,
    wants(1) ? g.op("Gemm", [reshaped(g, left, [rows, inner]), flat], { transA: int(1) }) : null,
  ];
}

function reshaped(g: TypedBuilder, x: string, shape: readonly number[]): string {
  const from = g.shape(x);
  return from.length === shape.length && from.every((dim, axis) => dim === shape[axis]) ? x : g.reshape(x, shape);
}

function swapLast(g: TypedBuilder, x: string): string {
  const last = g.shape(x).length - 1;
  return g.transpose(x, [...Array(last - 1).keys(), last, last - 1]);
}

/** Sums a batch of matrices with one row or column down to the vector of `size` it came from. */
function sumTo(g: TypedBuilder, x: string, size: number): string {
  return g.reduceSum(g.reshape(x, [sizeOf(g.shape(x)) / size, size]), [0], false);
}
