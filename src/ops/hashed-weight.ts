/**
 * HashedWeight, of netpare's own domain: a tensor of `shape` whose elements are `values: (K)` with signs, both by a hash of the
 * element's place and `seed` (src/tensor/hash.ts; Chen et al. 2015, arXiv:1504.04788). `counts` says how many values each group of
 * elements has. Its gradient is the signed sum over the elements that have a value. No pass computes it: values and a number are all
 * that a file stores. In an `.onnx` file it is a function of standard operators, in a `.pare` file a form of constant.
 */
import { int } from "../graph/attributes.ts";
import { NetpareError } from "../tensor/error.ts";
import { hashIndices, spreadHashed } from "../tensor/hash.ts";
import { sizeOf } from "../tensor/shape.ts";
import { int64s, type Tensor, tensorOf, toIntegers, toNumbers } from "../tensor/tensor.ts";
import { scatterAdd } from "./_axis-maps.ts";
import { bodyWriter } from "./_body.ts";
import { defineOp } from "./define-op.ts";
import { fact, knownIntegers } from "./fact.ts";

export const hashedWeight = defineOp("HashedWeight", {
  domain: "netpare",
  inputs: ["values", "shape", "counts", "seed"],
  attributes: {},
  weights: [0],
  stored: true,
  infer({ I: [values, shape, counts] }) {
    const [dims, known] = [knownIntegers(shape), knownIntegers(counts)];
    const total = known?.reduce((sum, count) => sum + count, 0);
    if (known?.some((count) => count < 1) || (total !== undefined && values.shape[0] !== total))
      throw new NetpareError("bad-shape", `its groups have ${known} values, and [${values.shape}] are there`);
    const rank = shape.shape[0];
    return [fact(values.dtype, dims ?? (typeof rank === "number" ? new Array(rank).fill("?") : undefined))];
  },
  vjp(g, { I: [values, shape, counts, seed], GO: [gy], wants }) {
    if (!wants(0)) return [null];
    const [dims, known, start] = [shape, counts, seed].map((input) => knownIntegers(g.fact(input)));
    if (dims === undefined || known === undefined || start === undefined)
      throw new NetpareError("unsupported", "its shape, counts or seed are computed, which has no gradient");
    const size = sizeOf(dims);
    const [total] = g.shape(values) as [number];
    // Values, and behind them values with a minus.
    const places = Array.from(hashIndices(size, known, start[0]!), (at) => (at < 0 ? total - 1 - at : at));
    const both = scatterAdd(g, g.reshape(gy, [1, size, 1]), g.initializer("places", int64s(places)), 2 * total);
    const signs = g.initializer("signs", tensorOf(g.dtype(gy), [1, 2], [1, -1]));
    return [g.reshape(g.op("MatMul", [signs, g.reshape(both, [2, total])]), [total]), null, null, null];
  },
  evaluate({ I: [values, shape, counts, seed] }) {
    const dims = toIntegers(shape);
    const indices = hashIndices(sizeOf(dims), toIntegers(counts), toIntegers(seed)[0]!);
    return [tensorOf(values.dtype, dims, spreadHashed(toNumbers(values), indices))];
  },
  body: body(),
});

/** What HashedWeight reads beside its values, as tensors. */
export function hashInputs(shape: readonly number[], counts: readonly number[], seed: number): readonly Tensor[] {
  return [int64s(shape), int64s(counts), tensorOf("int64", [], [seed])];
}

/**
 * The hash in int64, in which no product of a number of 32 bits and a factor overflows; all of it but the last four nodes is constant.
 * GatherElements takes onnxruntime a fifth of Gather's time here.
 */
function body() {
  const { op, integer, nodes } = bodyWriter();
  const [one, two, modulus] = [integer(1), integer(2), integer(2 ** 32)];
  const [p, q] = [integer(668265263), integer(374761393)];
  const wrap = (x: string) => op("Mod", [x, modulus]);
  const high = (x: string) => op("Div", [x, integer(2 ** 16)]);
  const mix = (x: string) => {
    const y = wrap(op("Mul", [x, op("Add", [op("Mul", [two, high(x)]), one])]));
    return wrap(op("Add", [y, high(y)]));
  };
  const place = op("Range", [integer(0), op("ReduceProd", ["shape"], { keepdims: int(0) }), one]);
  const first = mix(wrap(op("Add", [op("Mul", [place, p]), "seed"])));
  const second = mix(wrap(op("Mul", [first, q])));
  const hash = mix(wrap(op("Mul", [second, p])));
  const group = op("Mod", [place, op("Size", ["counts"])]);
  const count = op("Gather", ["counts", group]);
  const start = op("Gather", [op("Sub", [op("CumSum", ["counts", integer(0)]), "counts"]), group]);
  const at = op("Mod", [hash, op("Mul", [two, count])]);
  const index = op("Add", [start, op("Mod", [at, count])]);
  const sign = op("CastLike", [op("Sub", [one, op("Mul", [two, op("Div", [at, count])])]), "values"]);
  op("Reshape", [op("Mul", [op("GatherElements", ["values", index]), sign]), "shape"], {}, "weight");
  return { nodes, outputs: ["weight"] };
}
