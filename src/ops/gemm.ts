/** Gemm: `Y = α·A'·B' + β·C`, where `A'`, `B'` are transposed on demand; `Ā' = α·Ȳ·B'ᵀ`, `B̄' = α·A'ᵀ·Ȳ`, `C̄ = β·Ȳ`. */
import { float, int } from "../graph/attributes.ts";
import { NetpareError } from "../tensor/error.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { broadcastOffsets } from "./_elementwise.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact, isStatic } from "./fact.ts";

export const gemm = defineOp("Gemm", {
  inputs: ["A", "B", "C?"],
  attributes: { alpha: attr.float(1), beta: attr.float(1), transA: attr.int(0), transB: attr.int(0) },
  weights: [1, 2],
  infer({ a, I: [x, y] }) {
    if (x.shape.length !== 2 || y.shape.length !== 2)
      throw new NetpareError("bad-shape", `expected two matrices, found shapes [${x.shape}] and [${y.shape}]`);
    const [rows, inner] = a.transA ? x.shape.toReversed() : x.shape;
    const [innerToo, columns] = a.transB ? y.shape.toReversed() : y.shape;
    if (typeof inner === "number" && typeof innerToo === "number" && inner !== innerToo)
      throw new NetpareError("bad-shape", `input has ${inner} features, its weight wants ${innerToo}`);
    return [fact(x.dtype, [rows!, columns!])];
  },
  macs: ({ a, I: [x], O: [y] }) =>
    isStatic(x.shape) && isStatic(y.shape) ? sizeOf(y.shape) * x.shape[a.transA ? 0 : 1]! : 0,
  channels: {
    link({ a, I: [, , c], O: [y] }, links) {
      const [rows, innerA] = a.transA ? [1, 0] : [0, 1];
      const [innerB, columns] = a.transB ? [1, 0] : [0, 1];
      links.tie(inputAxis(0, rows), outputAxis(0, 0));
      links.tie(inputAxis(0, innerA), inputAxis(1, innerB));
      links.tie(inputAxis(1, columns), outputAxis(0, 1));
      c?.shape.forEach((dim, axis) => {
        const outer = axis + 2 - c.shape.length;
        if (dim === y.shape[outer]) links.tie(inputAxis(2, axis), outputAxis(0, outer));
      });
    },
  },
  vjp(g, { a, I: [x, y], GO: [gz], wants }) {
    const product = (p: string, q: string, transA: number, transB: number) =>
      g.op("Gemm", [p, q], { alpha: float(a.alpha), transA: int(transA), transB: int(transB) });
    return [
      wants(0) ? (a.transA ? product(y, gz, a.transB, 1) : product(gz, y, 0, 1 - a.transB)) : null,
      wants(1) ? (a.transB ? product(gz, x, 1, a.transA) : product(x, gz, 1 - a.transA, 0)) : null,
      wants(2) ? g.scale(gz, a.beta) : null,
    ];
  },
  evaluate({ a, I: [x, y, c] }) {
    const [rows, inner] = (a.transA ? x.shape.toReversed() : x.shape) as [number, number];
    const columns = y.shape[a.transB ? 0 : 1]!;
    const [p, q] = [toNumbers(x), toNumbers(y)];
    const [pRow, pInner] = a.transA ? [1, rows] : [inner, 1];
    const [qInner, qColumn] = a.transB ? [1, inner] : [columns, 1];
    const shape = [rows, columns];
    const bias = c && { values: toNumbers(c), offsets: broadcastOffsets(c.shape, shape) };
    const out = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += p[i * pRow + k * pInner]! * q[k * qInner + j * qColumn]!;
        const at = i * columns + j;
        out[at] = a.alpha * sum + (bias ? a.beta * bias.values[bias.offsets[at]!]! : 0);
      }
    return [tensorOf(x.dtype, shape, out)];
  },
});
