/**
 * Rounding that changes what a convolution computes least (Hassibi, Stork 1993; Frantar et al. 2022, arXiv:2210.17323, from the other side
 * of the factorization): the error of a row, e = ŵ - w, costs eᵀCe, C being the covariance of the layer's inputs x over positions and
 * images; the bias takes back the mean, -eᵀE[x]. With C = R·Rᵀ, R upper triangular, eᵀCe = Σ_j (Σ_{i≤j} e_i R_ij)², so that inputs
 * are rounded one after another, the strongest first, each against what those before have left: w_j - Σ_{i<j} e_i R_ij / R_jj.
 *
 * Inputs are read by a copy of the layer whose kernels pick one element each, with a 1 for the bias: x̃ = (x, 1); E[x̃x̃ᵀ] holds all.
 */
import { ints } from "../graph/attributes.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import { fact } from "../ops/fact.ts";
import { type Tensor, tensor, toNumbers } from "../tensor/tensor.ts";
import type { Samples } from "./define-method.ts";

/** What a layer reads, and how to round against it. */
export interface Inputs {
  /** `(K)`. */
  readonly mean: Float64Array;
  /** Which input is rounded when. */
  readonly order: readonly number[];
  /** `R_ij / R_jj` in that order, `(K, K)`, row j for input j. */
  readonly feedback: Float64Array;
}

/** A weight `(O, K...)` and the Conv that alone reads it. */
export interface ConvWeight {
  readonly node: Node;
  readonly weight: Tensor<"float32">;
}

/** Pictures in a run: patches are large. */
const batch = 4;

/** Added to the covariance's diagonal, in its mean: what samples do not show may still come. */
const damping = 0.01;

/** The inputs of each layer, measured on at most `limit` samples; `layers` are convolutions of one group. */
export async function measureInputs(
  graph: Graph,
  layers: readonly ConvWeight[],
  samples: Samples,
  limit: number,
): Promise<Map<Node, Inputs>> {
  const copies = layers.map((layer, i) => momentNodes(layer, `inputs${i}`));
  const fixed = Math.min(batch, samples.count);
  const measured = removeDead({
    ...graph,
    inputs: graph.inputs.map((input, i) =>
      i === 0 && input.shape ? { ...input, shape: input.shape.with(0, fixed) } : input,
    ),
    nodes: [...graph.nodes, ...copies.flatMap(({ nodes }) => nodes)],
    initializers: new Map([...graph.initializers, ...copies.flatMap(({ constants }) => constants)]),
    outputs: copies.map(({ output }) => ({ name: output, ...fact("float32", undefined) })),
  });
  const sums = copies.map(({ side }) => new Float64Array(side * side));
  await samples.run(
    measured,
    (outputs) => {
      for (const [i, { output }] of copies.entries()) {
        const moments = toNumbers(outputs.get(output)!);
        const sum = sums[i]!;
        for (let k = 0; k < moments.length; k++) sum[k % sum.length]! += moments[k]!;
      }
    },
    limit,
  );
  return new Map(layers.map(({ node }, i) => [node, inputsOf(sums[i]!)]));
}

/** Nodes that write `x̃x̃ᵀ` summed over the positions of each image, `(N, K+1, K+1)`. */
function momentNodes({ node, weight }: ConvWeight, name: string) {
  const [, ...kernel] = weight.shape;
  const inputs = kernel.reduce((a, b) => a * b, 1);
  const side = inputs + 1;
  const pick = new Float32Array(side * inputs);
  for (let i = 0; i < inputs; i++) pick[i * inputs + i] = 1;
  const one = new Float32Array(side).fill(1, inputs);
  const constants: [string, Tensor][] = [
    [`${name}:pick`, tensor("float32", [side, ...kernel], pick)],
    [`${name}:one`, tensor("float32", [side], one)],
    [`${name}:shape`, tensor("int64", [3], BigInt64Array.of(0n, BigInt(side), -1n))],
  ];
  const op = (kind: string, from: readonly string[], to: string, attributes: Node["attributes"] = {}): Node => ({
    name: `${name}:${to}`,
    op: kind,
    domain: "",
    inputs: from.map((part) => `${name}:${part}`),
    outputs: [`${name}:${to}`],
    attributes,
  });
  const nodes: Node[] = [
    {
      ...node,
      name: `${name}:patches`,
      inputs: [node.inputs[0]!, `${name}:pick`, `${name}:one`],
      outputs: [`${name}:patches`],
    },
    op("Reshape", ["patches", "shape"], "rows"),
    op("Transpose", ["rows"], "columns", { perm: ints([0, 2, 1]) }),
    op("MatMul", ["rows", "columns"], "moments"),
  ];
  return { nodes, constants, side, output: `${name}:moments` };
}

function inputsOf(moments: Float64Array): Inputs {
  const side = Math.sqrt(moments.length);
  const n = side - 1;
  const count = moments[moments.length - 1]!;
  const mean = Float64Array.from({ length: n }, (_, i) => moments[i * side + n]! / count);
  const covariance = (i: number, j: number) => moments[i * side + j]! / count - mean[i]! * mean[j]!;
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => covariance(b, b) - covariance(a, a) || a - b);
  const ridge = (damping * order.reduce((sum, i) => sum + covariance(i, i), 0)) / n + 1e-12;
  const factor = Float64Array.from(
    { length: n * n },
    (_, at) => covariance(order[Math.floor(at / n)]!, order[at % n]!) + (Math.floor(at / n) === at % n ? ridge : 0),
  );
  return { mean, order, feedback: factorize(factor, n) };
}

/** From `C: (n, n)`, row j for column j of R, `R_ij / R_jj`, where `C = R·Rᵀ`. */
function factorize(c: Float64Array, n: number): Float64Array {
  // Rows are R's columns, so that both inner loops run along memory.
  for (let j = n - 1; j >= 0; j--) {
    const column = c.subarray(j * n, (j + 1) * n);
    const pivot = Math.max(column[j]!, 1e-30);
    for (let i = 0; i <= j; i++) column[i]! /= pivot;
    for (let k = 0; k < j; k++) {
      const row = c.subarray(k * n, (k + 1) * n);
      const scale = column[k]! * pivot;
      if (scale !== 0) for (let i = 0; i <= k; i++) row[i]! -= scale * column[i]!;
    }
  }
  return c;
}

/** Rounds the rows of `weights: (O, K)` by `round`, and says what to add to each bias. */
export function roundAgainst(
  weights: Float32Array,
  { mean, order, feedback }: Inputs,
  round: (value: number, at: number) => number,
): { values: Float32Array<ArrayBuffer>; biases: Float64Array } {
  const n = mean.length;
  const values = new Float32Array(weights.length);
  const biases = new Float64Array(weights.length / n);
  const errors = new Float64Array(n);
  for (let o = 0; o < biases.length; o++)
    for (let j = 0; j < n; j++) {
      const at = o * n + order[j]!;
      let left = 0;
      for (let i = 0; i < j; i++) left += errors[i]! * feedback[j * n + i]!;
      values[at] = round(weights[at]! - left, at);
      errors[j] = values[at]! - weights[at]!;
      biases[o]! -= errors[j]! * mean[order[j]!]!;
    }
  return { values, biases };
}
