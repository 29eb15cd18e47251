/**
 * InverseDct, of netpare's own domain: kernels from their frequencies, `y = Aᵀ x B` over the last two axes, A and B orthonormal cosine
 * transforms (src/tensor/inverse-dct.ts), in which FreshNets share weights (Chen et al. 2016, arXiv:1506.04449). `x̄ = A ȳ Bᵀ`.
 */
import { float, int, ints } from "../graph/attributes.ts";
import { NetpareError } from "../tensor/error.ts";
import { cosines, inverseDct as transform } from "../tensor/inverse-dct.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { bodyWriter } from "./_body.ts";
import { defineOp } from "./define-op.ts";
import type { TypedBuilder } from "./typed-builder.ts";

export const inverseDct = defineOp("InverseDct", {
  domain: "netpare",
  inputs: ["X"],
  attributes: {},
  weights: [0],
  infer({ I: [x] }) {
    if (x.shape.length < 2) throw new NetpareError("bad-shape", `expected two axes or more, found [${x.shape}]`);
    return [x];
  },
  vjp(g, { I: [x], GO: [gy] }) {
    const [rows, columns] = g.shape(x).slice(-2) as [number, number];
    const across = g.transpose(addCosines(g, gy, columns), [1, 0]);
    return [g.op("MatMul", [addCosines(g, gy, rows), g.op("MatMul", [gy, across])])];
  },
  evaluate({ I: [x] }) {
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    return [tensorOf(x.dtype, x.shape, transform(toNumbers(x), rows, columns))];
  },
  body: body(),
});

const addCosines = (g: TypedBuilder, like: string, n: number) =>
  g.initializer("cosines", tensorOf(g.dtype(like), [n, n], cosines(n)));

function body() {
  const { op, integer, nodes } = bodyWriter();
  const like = (value: number) => op("CastLike", [op("Constant", [], { value_float: float(value) }), "X"]);
  const axis = (at: number) => op("Constant", [], { value_ints: ints([at]) });
  const matrix = (start: number, end?: number) => {
    const size = op("Squeeze", [op("Shape", ["X"], { start: int(start), ...(end && { end: int(end) }) })]);
    const index = op("CastLike", [op("Range", [integer(0), size, integer(1)]), "X"]);
    const n = op("CastLike", [size, "X"]);
    const frequency = op("Unsqueeze", [index, axis(1)]);
    const place = op("Unsqueeze", [op("Add", [index, like(0.5)]), axis(0)]);
    const angle = op("Div", [op("Mul", [op("Mul", [frequency, place]), like(Math.PI)]), n]);
    // 1 for frequency 0, 2 beyond.
    const gain = op("Add", [op("Min", [frequency, like(1)]), like(1)]);
    return op("Mul", [op("Sqrt", [op("Div", [gain, n])]), op("Cos", [angle])]);
  };
  const down = op("Transpose", [matrix(-2, -1)]);
  op("MatMul", [down, op("MatMul", ["X", matrix(-1)])], {}, "Y");
  return { nodes, outputs: ["Y"] };
}
