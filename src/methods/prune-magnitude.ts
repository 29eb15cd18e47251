/**
 * Magnitude pruning: the weights nearest to zero become zero (Han et al. 2015, arXiv:1506.02626), in one shot, over the whole network
 * or the same share in each layer. Biases stay.
 *
 * A pruned weight w stands in the graph as `w · |sign w|`: its zeros have no gradient, so that training afterwards moves only the weights
 * that are left, and a second, sparser application adds zeros to those that are there. `netpare export` writes the product; a `.pare`
 * file holds places and values of what is left, and the runtime computes with these alone.
 * Limits: single weights, not blocks; a global threshold may leave a narrow layer empty, which `keep` or `scope layer` prevents.
 */
import { z } from "zod";
import { GraphEdit } from "../graph/edit.ts";
import type { Graph } from "../graph/graph.ts";
import { constantsToInitializers, freezeInitializers, runPass } from "../passes/index.ts";
import { NetpareError } from "../tensor/error.ts";
import { tensor } from "../tensor/tensor.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { addMasked, findLayerWeights, type LayerWeight, readInstead } from "./_layer-weights.ts";
import { type Application, defineMethod } from "./define-method.ts";

const params = z.object({
  sparsity: z.number().min(0).lt(1).optional().describe("share of the weights that become zero"),
  density: z.number().gt(0).max(1).optional().describe("share of the weights that stay; 1 - sparsity"),
  scope: z
    .enum(["global", "layer"])
    .default("global")
    .describe("rank weights over the whole network, or remove the same share of each layer's"),
  keep: z
    .array(z.string())
    .default([])
    .describe("layers whose weights stay: names, or regular expressions that match whole names"),
});

type Params = z.output<typeof params>;

export const pruneMagnitude = defineMethod({
  name: "prune-magnitude",
  summary: "sets the smallest weights to zero, and keeps them there in training",
  paper:
    "Han, Pool, Tran, Dally, Learning both Weights and Connections for Efficient Neural Networks, 2015, arXiv:1506.02626",
  params,
  examples: [
    "resnet32.onnx --sparsity 0.9 --scope layer --out sparse.onnx",
    "resnet32.onnx --density 0.2 --keep conv1,linear --data cifar10:DIR --epochs 3 --out sparse.onnx",
  ],
  requires: () => [],
  async apply(original, given): Promise<Application> {
    const sparsity = sparsityOf(given);
    const keep = layerMatcher(original, "keep", given.keep);
    if (sparsity === 0) return { graph: original, changes: [], skipped: [] };
    const graph = runPass(constantsToInitializers, runPass(freezeInitializers, original).graph).graph;
    const { weights, skipped } = findLayerWeights(graph, keep);
    const pruned =
      given.scope === "global"
        ? smallest(weights, sparsity)
        : weights.flatMap((weight) => smallest([weight], sparsity));
    const changed = weights.flatMap((weight, i) => {
      const removed = pruned[i]!;
      const fresh = weight.tensor.data.some((value, at) => removed[at] === 1 && value !== 0);
      return fresh || (!weight.masked && removed.includes(1)) ? [{ weight, removed }] : [];
    });
    if (changed.length === 0) return { graph: original, changes: [], skipped };
    return { graph: mask(graph, changed), changes: changed.map(describe), skipped };
  },
});

function sparsityOf({ sparsity, density }: Params): number {
  if ((sparsity === undefined) === (density === undefined))
    throw new NetpareError("bad-option", "prune-magnitude wants exactly one of --sparsity and --density");
  return sparsity ?? 1 - density!;
}

/** What becomes zero of a weight: 1 where an element goes. */
interface Pruned {
  readonly weight: LayerWeight;
  readonly removed: Uint8Array;
}

/** 1 for the share of the smallest elements of all weights together; of equal ones at the border those that come first. */
function smallest(weights: readonly LayerWeight[], share: number): Uint8Array[] {
  const sizes = weights.map(({ tensor }) => tensor.data.length);
  const magnitudes = new Float32Array(sizes.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const { tensor } of weights) {
    for (const [i, value] of tensor.data.entries()) magnitudes[at + i] = Math.abs(value);
    at += tensor.data.length;
  }
  const count = Math.round(share * magnitudes.length);
  const border = magnitudes.toSorted()[count - 1] ?? -1;
  let equal = count - magnitudes.reduce((below, value) => below + (value < border ? 1 : 0), 0);
  const removed = Uint8Array.from(magnitudes, (value) => (value < border || (value === border && equal-- > 0) ? 1 : 0));
  let end = 0;
  return sizes.map((size) => {
    end += size;
    return removed.subarray(end - size, end);
  });
}

function mask(graph: Graph, changed: readonly Pruned[]): Graph {
  const edit = new GraphEdit(graph);
  for (const { weight, removed } of changed) {
    const { name, tensor: stored } = weight;
    edit.setInitializer(
      name,
      tensor(
        "float32",
        stored.shape,
        stored.data.map((value, i) => (removed[i] ? 0 : value)),
      ),
    );
    if (!weight.masked) readInstead(edit, weight.layers, addMasked(edit, name));
  }
  return edit.apply();
}

function describe({ weight: { layers, tensor: stored }, removed }: Pruned): string {
  const left = stored.data.reduce((sum, value, i) => sum + (removed[i] || value === 0 ? 0 : 1), 0);
  return `${layers.map(layerName).join(", ")}: ${stored.data.length} weights to ${left}`;
}
