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
import { clusterings, exactLimit, kmeans1d } from "../math/kmeans-1d.ts";
import { simplify } from "../passes/index.ts";
import { elementTypeOf } from "../tensor/element-type.ts";
import { createRandom, type Random } from "../tensor/random.ts";
import { tensor, tensorOf } from "../tensor/tensor.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { addMasked, findLayerWeights, type LayerWeight, type LayerWeights, readInstead } from "./_layer-weights.ts";
import { roundToSteps } from "./_uniform-steps.ts";
import { type Application, defineMethod, type MethodContext } from "./define-method.ts";

const params = z.object({
  bits: z.number().int().min(1).max(8).default(4).describe("bits of an index: a codebook has 2^bits values"),
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

type Params = z.output<typeof params>;

export const clusterWeights = defineMethod({
  name: "cluster-weights",
  summary: "lets each layer's weights share a few values, which training can move",
  paper: "Han, Mao, Dally, Deep Compression, 2015, arXiv:1510.00149",
  params,
  examples: [
    "sparse.onnx --bits 4 --out shared.onnx",
    "squeezenet.onnx --step 0.1 --data leaves --out stepped.onnx",
    "sparse.onnx --bits 5 --data cifar10:DIR --epochs 2 --optimizer adam --lr 0.0005 --out shared.onnx",
  ],
  requires: () => [],
  async apply(original, given, context): Promise<Application> {
    const { seed, progress } = context;
    const keep = layerMatcher(original, "keep", given.keep);
    const graph = simplify(unmask(original, keep)).graph;
    const { weights, skipped } = findLayerWeights(graph, keep);
    if (given.step !== undefined) return applySteps(original, graph, { weights, skipped }, given.step, context);
    const random = createRandom(seed);
    const changes: string[] = [];
    const tooFew: Application["skipped"][number][] = [];
    const edit = new GraphEdit(graph);
    for (const [i, weight] of weights.entries()) {
      progress(i, weights.length, "clustering weights");
      const name = weight.layers.map(layerName).join(", ");
      const shared = share(weight.tensor.data, given, random.fork(i));
      if (shared === undefined) {
        tooFew.push({
          node: name,
          reason: `it has no more than ${2 ** given.bits} weights, as many as a codebook has values`,
        });
        continue;
      }
      addCodebook(edit, weight, shared);
      const { codebook, error } = shared;
      changes.push(`${name}: ${codebook.length} values, relative error ${error.toFixed(3)}`);
    }
    if (changes.length === 0) return { graph: original, changes, skipped: [...skipped, ...tooFew] };
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
  const stays: Application["skipped"][number][] = [];
  for (const [weight, stepped] of await roundToSteps(graph, weights, step, context)) {
    const node = weight.layers.map(layerName).join(", ");
    if (stepped === undefined) {
      stays.push({ node, reason: "it is small, and steps fine enough for it would make more than 255 values" });
      continue;
    }
    addCodebook(edit, weight, bookOf(stepped.values, weight.masked));
    if (stepped.bias) edit.setInitializer(stepped.bias.name, stepped.bias.tensor);
    changes.push(`${node}: whole numbers of ${stepped.step.toPrecision(3)}`);
  }
  return { graph: changes.length === 0 ? original : edit.apply(), changes, skipped: [...skipped, ...stays] };
}

/** The distinct values in ascending order, 0 before all where it stands for what is pruned. */
function bookOf(values: Float32Array, masked: boolean): Pick<Shared, "codebook" | "indices"> {
  const zeroFirst = (value: number) => (masked && value === 0 ? Number.NEGATIVE_INFINITY : value);
  const codebook = Float32Array.from([...new Set(values)].sort((a, b) => zeroFirst(a) - zeroFirst(b)));
  const places = new Map(Array.from(codebook, (value, i) => [value, i]));
  return { codebook, indices: Uint8Array.from(values, (value) => places.get(value)!) };
}

/** The graph in which layers read their pruned weights as they are stored, zeros included, so that batch norms can be folded into them. */
function unmask(graph: Graph, keep: (node: Node) => boolean): Graph {
  const masked = findLayerWeights(graph, keep).weights.filter((weight) => weight.masked);
  if (masked.length === 0) return graph;
  const edit = new GraphEdit(graph);
  for (const weight of masked) readInstead(edit, weight.layers, weight.name);
  return edit.apply();
}

interface Shared {
  readonly codebook: Float32Array<ArrayBuffer>;
  readonly indices: Uint8Array<ArrayBuffer>;
  /** `‖W - codebook[indices]‖ / ‖W‖`. */
  readonly error: number;
}

/** The codebook of a layer's weights; undefined where they are no more than its values would be. Zeros have index 0. */
function share(weights: Float32Array, { bits, clustering }: Params, random: Random): Shared | undefined {
  const most = 2 ** bits;
  if (weights.length <= most) return undefined;
  const left = weights.filter((value) => value !== 0);
  if (left.length === 0) return { codebook: new Float32Array(1), indices: new Uint8Array(weights.length), error: 0 };
  const zeros = left.length < weights.length ? 1 : 0;
  const clusters = most - zeros;
  const fits = clustering !== "exact" || new Set(left).size * clusters <= exactLimit;
  const found = kmeans1d(left, clusters, { clustering: fits ? clustering : "plusplus", random });
  const codebook = new Float32Array(found.centroids.length + zeros);
  codebook.set(found.centroids, zeros);
  let next = 0;
  const indices = Uint8Array.from(weights, (value) => (value === 0 ? 0 : found.members[next++]! + zeros));
  const norm = left.reduce((sum, value) => sum + value * value, 0);
  return { codebook, indices, error: Math.sqrt(found.error / norm) };
}

function addCodebook(
  edit: GraphEdit,
  weight: LayerWeight,
  { codebook, indices }: Pick<Shared, "codebook" | "indices">,
): void {
  const { name, tensor: stored } = weight;
  const values = edit.addInitializer(`${name}/codebook`, tensor("float32", [codebook.length], codebook));
  // Gather takes no bytes.
  const bytes = edit.addInitializer(`${name}/indices`, tensorOf("uint8", stored.shape, indices));
  const to = int(elementTypeOf("int32"));
  const index = edit.op("Cast", [bytes], `${name}/index`, { to });
  const source = codebook[0] === 0 ? addMasked(edit, values) : values;
  readInstead(edit, weight.layers, edit.op("Gather", [source, index], `${name}/shared`));
}
