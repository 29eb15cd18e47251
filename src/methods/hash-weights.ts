/**
 * HashedNets: a layer's weights share few values, `W_i = ξ(i) v_h(i)`, and which of them, with which sign, a hash of the place says (Chen,
 * Wilson, Tyree, Weinberger, Chen 2015, arXiv:1504.04788). Only the values and the hash's seed are stored. With `frequency` the kernels of
 * convolutions are shared so in the cosine domain, low frequencies having more values (FreshNets: Chen et al. 2016, arXiv:1506.04449; there by a
 * beta distribution, here in proportion to `1 / (1 + u + v)`).
 *
 * In the graph a weight becomes `HashedWeight(values)`, so that training moves the values. They start as the signed means of their members times
 * the root of their number, which gives the weights the variance they had: the network learns again from there, as one freshly drawn would; or
 * as the means, which are nearest to the weights. Without training accuracy is all but lost. Biases and norms stay.
 */
import { z } from "zod";
import { frequencyLimit } from "../format/program.ts";
import { GraphEdit } from "../graph/edit.ts";
import { hashInputs } from "../ops/hashed-weight.ts";
import { constantsToInitializers, freezeInitializers, runPass } from "../passes/index.ts";
import { hashIndices } from "../tensor/hash.ts";
import { cosines } from "../tensor/inverse-dct.ts";
import { createRandom } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { findLayerWeights, type LayerWeight, readInstead } from "./_layer-weights.ts";
import { type Application, defineMethod } from "./define-method.ts";

const params = z.object({
  compression: z
    .number()
    .gt(0)
    .max(1)
    .default(0.125)
    .describe("values that are stored of a layer, as a share of its weights"),
  frequency: z.boolean().default(false).describe("share the kernels of convolutions by their frequencies (FreshNets)"),
  start: z
    .enum(["variance", "mean"])
    .default("variance")
    .describe("values with which the weights keep their variance, for training; or those nearest to the weights"),
  keep: z
    .array(z.string())
    .default([])
    .describe("layers whose weights stay: names, or regular expressions that match whole names"),
});

type Params = z.output<typeof params>;

export const hashWeights = defineMethod({
  name: "hash-weights",
  summary: "lets a hash say which of few stored values each weight is, for training",
  paper:
    "Chen, Wilson, Tyree, Weinberger, Chen, Compressing Neural Networks with the Hashing Trick, 2015, arXiv:1504.04788",
  params,
  examples: [
    "dense.onnx --compression 0.125 --data mnist:DIR --epochs 30 --optimizer adam --lr 0.001 --out hashed.onnx",
    "lenet-5.onnx --compression 0.0625 --frequency --data mnist:DIR --epochs 20 --optimizer adam --lr 0.001 --out fresh.onnx",
  ],
  requires: () => [],
  async apply(original, given, { seed }): Promise<Application> {
    const keep = layerMatcher(original, "keep", given.keep);
    const graph = runPass(constantsToInitializers, runPass(freezeInitializers, original).graph).graph;
    const { weights, skipped } = findLayerWeights(graph, keep);
    const random = createRandom(seed);
    const edit = new GraphEdit(graph);
    const changes: string[] = [];
    const left = [...skipped];
    for (const [i, weight] of weights.entries()) {
      const node = weight.layers.map(layerName).join(", ");
      const hash = planHash(weight, given, random.fork(i).below(2 ** 32));
      if (typeof hash === "string") left.push({ node, reason: hash });
      else {
        addHashed(edit, weight, hash, given.start);
        changes.push(`${node}: ${weight.tensor.data.length} weights of ${sum(hash.counts)} values`);
      }
    }
    return { graph: changes.length === 0 ? original : edit.apply(), changes, skipped: left };
  },
});

interface Hash {
  readonly seed: number;
  /** Values of each group: one, or one for each frequency of a kernel. */
  readonly counts: readonly number[];
}

/** How many values a weight has, or why it stays as it is. */
function planHash({ tensor, masked, layers }: LayerWeight, given: Params, seed: number): Hash | string {
  const size = tensor.data.length;
  const total = Math.max(1, Math.round(given.compression * size));
  if (masked) return "its weight is pruned, and which of the shared values is 0 cannot be chosen";
  if (total === size) return `it has ${size} weights, and would have as many values`;
  const [rows = 1, columns = 1] = tensor.shape.slice(2);
  const maps = rows * columns;
  const isSpatial = layers[0]!.op === "Conv" && tensor.shape.length === 4 && maps > 1;
  if (!given.frequency || !isSpatial || Math.max(rows, columns) > frequencyLimit) return { seed, counts: [total] };
  if (total < maps) return `each of its ${maps} frequencies wants a value, and ${total} are to be had`;
  const shares = Array.from({ length: maps }, (_, at) => 1 / (1 + Math.floor(at / columns) + (at % columns)));
  return { seed, counts: allot(total, shares, size / maps) };
}

/** Whole numbers of 1 to `most` in proportion to `shares`, greatest first, that come to `total`. */
function allot(total: number, shares: readonly number[], most: number): number[] {
  const counts = shares.map(() => 0);
  let [left, weight] = [total, sum(shares)];
  const order = [...shares.keys()].sort((a, b) => shares[b]! - shares[a]!);
  for (const [i, at] of order.entries()) {
    const others = order.length - 1 - i;
    const wanted = Math.round((left * shares[at]!) / weight);
    counts[at] = Math.min(Math.max(wanted, 1, left - others * most), most, left - others);
    left -= counts[at]!;
    weight -= shares[at]!;
  }
  return counts;
}

function addHashed(edit: GraphEdit, weight: LayerWeight, { seed, counts }: Hash, start: Params["start"]): void {
  const { name, tensor: stored } = weight;
  const byFrequency = counts.length > 1;
  const [rows, columns] = stored.shape.slice(-2) as [number, number];
  const elements = byFrequency ? frequenciesOf(stored.data, rows, columns) : stored.data;
  const values = startValues(elements, hashIndices(sizeOf(stored.shape), counts, seed), sum(counts), start);
  const inputs = [
    edit.addInitializer(`${name}/values`, tensorOf("float32", [values.length], values)),
    ...hashInputs(stored.shape, counts, seed).map((t, i) =>
      edit.addInitializer(`${name}/${["shape", "counts", "seed"][i]}`, t),
    ),
  ];
  const hashed = edit.op("HashedWeight", inputs, `${name}/hashed`, {}, "netpare");
  const read = byFrequency ? edit.op("InverseDct", [hashed], `${name}/kernels`, {}, "netpare") : hashed;
  readInstead(edit, weight.layers, read);
}

/** What each value is at first: the signed mean of its members, or that times the root of their number. */
function startValues(
  weights: ArrayLike<number>,
  indices: Int32Array,
  count: number,
  start: Params["start"],
): Float64Array {
  const [sums, members] = [new Float64Array(count), new Float64Array(count)];
  for (const [i, at] of indices.entries()) {
    const value = at < 0 ? -1 - at : at;
    sums[value]! += at < 0 ? -weights[i]! : weights[i]!;
    members[value]!++;
  }
  return sums.map((total, i) => total / (start === "mean" ? members[i]! || 1 : Math.sqrt(members[i]! || 1)));
}

/** The cosine transform `A x Bᵀ` of kernels of rows by columns. */
function frequenciesOf(x: Float32Array, rows: number, columns: number): Float64Array {
  const [down, across] = [cosines(rows), cosines(columns)];
  return Float64Array.from(x, (_, at) => {
    const [u, v] = [Math.floor(at / columns) % rows, at % columns];
    const kernel = at - u * columns - v;
    let total = 0;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        total += down[u * rows + i]! * across[v * columns + j]! * x[kernel + i * columns + j]!;
    return total;
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
