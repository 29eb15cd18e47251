/**
 * Weight sharing: each layer's weights take one of 2^bits values, `W = codebook[indices]`, found by k-means in one dimension (Han, Mao,
 * Dally 2015, arXiv:1510.00149). Zeros of a pruned weight stay: one value of the codebook is 0 then, for the pruned ones alone.
 *
 * In the graph a weight becomes `Gather(codebook, indices)`, so that training moves the shared values, the gradient of each being the sum
 * over its members (large, for layers have thousands: train with adam, or with a small rate); a codebook with a zero stands as
 * `c · |sign c|`, which keeps it. `netpare export` writes the weights; a `.pare` file holds codebook and coded indices, and the runtime
 * computes with these. Batch norms are folded first, which afterwards would make a codebook a channel.
 */
import { z } from "zod";
import { int } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { clusterings } from "../math/kmeans-1d.ts";
import { simplify } from "../passes/index.ts";
import { elementTypeOf } from "../tensor/element-type.ts";
import { createRandom } from "../tensor/random.ts";
import { tensor, tensorOf } from "../tensor/tensor.ts";
import { allotBits } from "./_bit-allocation.ts";
import { type Codebook, findCodebook } from "./_codebook.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import {
  findLayerWeights,
  type LayerWeight,
  type LayerWeights,
  readInstead,
  settleRegrowth,
} from "./_layer-weights.ts";
import { addMasked } from "./_masks.ts";
import { roundToSteps } from "./_uniform-steps.ts";
import { type Application, defineMethod, type MethodContext } from "./define-method.ts";

const params = z.object({
  bits: z.number().int().min(1).max(8).default(4).describe("bits of an index: a codebook has 2^bits values"),
  meanBits: z
    .number()
    .min(1)
    .max(8)
    .optional()
    .describe(
      "in place of --bits, most bits of an index in the mean over all weights: each layer takes the 1 to 8 that cost least error, by its effect on the answers where there is --data",
    ),
  clustering: z
    .enum(clusterings)
    .default("exact")
    .describe("the codebook of least squared error, or k-means from a start; layers too large for exact take plusplus"),
  step: z
    .number()
    .positive()
    .optional()
    .describe(
      "whole numbers of steps in place of k-means: their mean distance in a layer's standard deviations; --data weighs layers and rounds against their inputs",
    ),
  keep: z
    .array(z.string())
    .default([])
    .describe("layers whose weights stay: names, or regular expressions that match whole names"),
});

export const clusterWeights = defineMethod({
  name: "cluster-weights",
  summary: "lets each layer's weights share a few values, which training can move",
  paper: "Han, Mao, Dally, Deep Compression, 2015, arXiv:1510.00149",
  params,
  examples: [
    "sparse.onnx --bits 4 --out shared.onnx",
    "sparse.onnx --mean-bits 3.5 --data cifar10:DIR --out shared.onnx",
    "squeezenet.onnx --step 0.1 --data leaves --out stepped.onnx",
    "sparse.onnx --bits 5 --data cifar10:DIR --epochs 2 --optimizer adam --lr 0.0005 --out shared.onnx",
  ],
  requires: () => [],
  async apply(original, { bits, meanBits, step, clustering, keep: kept }, context): Promise<Application> {
    const keep = layerMatcher(original, "keep", kept);
    const graph = simplify(unmask(original, keep)).graph;
    const { weights, skipped } = findLayerWeights(graph, keep);
    if (step !== undefined) return applySteps(original, graph, { weights, skipped }, step, context);
    const random = createRandom(context.seed);
    const find = (place: number, width: number) =>
      findCodebook(weights[place]!.tensor.data, width, clustering, random.fork(place));
    const widths =
      meanBits === undefined ? weights.map(() => bits) : await allotBits(graph, weights, meanBits, find, context);
    const changes: string[] = [];
    const tooFew: Application["skipped"][number][] = [];
    const edit = new GraphEdit(graph);
    const shared = { bits: 0, weights: 0 };
    for (const [place, weight] of weights.entries()) {
      context.progress(place, weights.length, "clustering weights");
      const name = weight.layers.map(layerName).join(", ");
      const width = widths[place]!;
      const found = find(place, width);
      if (found === undefined) {
        const reason = `it has no more than ${2 ** width} weights, as many as a codebook has values`;
        tooFew.push({ node: name, reason });
        continue;
      }
      addCodebook(edit, weight, found);
      changes.push(`${name}: ${found.values.length} values, relative error ${found.error.toFixed(3)}`);
      shared.bits += width * weight.tensor.data.length;
      shared.weights += weight.tensor.data.length;
    }
    if (changes.length === 0) return { graph: original, changes, skipped: [...skipped, ...tooFew] };
    if (meanBits !== undefined) changes.push(`${(shared.bits / shared.weights).toFixed(2)} bits a weight in the mean`);
    return { graph: edit.apply(), changes, skipped: [...skipped, ...tooFew] };
  },
});

async function applySteps(
  original: Graph,
  graph: Graph,
  { weights, skipped }: LayerWeights,
  step: number,
  context: MethodContext,
): Promise<Application> {
  const edit = new GraphEdit(graph);
  const changes: string[] = [];
  for (const [weight, stepped] of await roundToSteps(graph, weights, step, context)) {
    const node = weight.layers.map(layerName).join(", ");
    addCodebook(edit, weight, bookOf(stepped.values, weight.masked));
    if (stepped.bias) edit.setInitializer(stepped.bias.name, stepped.bias.tensor);
    changes.push(`${node}: whole numbers of ${stepped.step.toPrecision(3)}`);
  }
  return { graph: changes.length === 0 ? original : edit.apply(), changes, skipped };
}

/** The distinct values in ascending order, 0 before all where it stands for what is pruned. */
function bookOf(weights: Float32Array, masked: boolean): Book {
  const zeroFirst = (value: number) => (masked && value === 0 ? Number.NEGATIVE_INFINITY : value);
  const values = Float32Array.from([...new Set(weights)].sort((a, b) => zeroFirst(a) - zeroFirst(b)));
  const places = new Map(Array.from(values, (value, i) => [value, i]));
  const indices = Array.from(weights, (value) => places.get(value)!);
  return { values, indices: values.length > 256 ? Uint16Array.from(indices) : Uint8Array.from(indices) };
}

/** The graph in which layers read their pruned weights as they are stored, zeros included, so that batch norms can be folded into them. */
function unmask(original: Graph, keep: (node: Node) => boolean): Graph {
  const graph = settleRegrowth(original, keep);
  const masked = findLayerWeights(graph, keep).weights.filter((weight) => weight.masked);
  if (masked.length === 0) return graph;
  const edit = new GraphEdit(graph);
  for (const weight of masked) readInstead(edit, weight.layers, weight.name);
  return edit.apply();
}

interface Book extends Pick<Codebook, "values"> {
  readonly indices: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
}

function addCodebook(edit: GraphEdit, weight: LayerWeight, { values, indices }: Book): void {
  const { name, tensor: stored } = weight;
  const codebook = edit.addInitializer(`${name}/codebook`, tensor("float32", [values.length], values));
  const dtype = indices instanceof Uint8Array ? "uint8" : "uint16";
  // Gather takes neither.
  const held = edit.addInitializer(`${name}/indices`, tensorOf(dtype, stored.shape, indices));
  const to = int(elementTypeOf("int32"));
  const index = edit.op("Cast", [held], `${name}/index`, { to });
  const source = values[0] === 0 ? addMasked(edit, codebook) : codebook;
  readInstead(edit, weight.layers, edit.op("Gather", [source, index], `${name}/shared`));
}
