/**
 * Magnitude pruning: the weights nearest to zero become zero (Han et al. 2015, arXiv:1506.02626), over the whole network, the same share
 * in each layer, or as much as each layer bears when it is pruned alone. Biases stay. It goes in one shot or in rounds with training in
 * between, whose course Zhu and Gupta (2017, arXiv:1710.01878) made a cubic.
 *
 * A pruned weight stands as `w · |sign w|`, whose zeros have no gradient: training moves what is left, and a sparser application
 * adds zeros. With `regrowth` it is `|w| > t ? w : 0`, the gradient going straight through: pruned weights go on learning and come back
 * (Guo et al. 2016, arXiv:1608.04493; one threshold, not two), the share of zeros moves, and later methods and `netpare export` settle it.
 * A `.pare` file holds places and values of what is left. Limits: single weights, not blocks; a global threshold may leave a narrow layer
 * empty, which the other scopes prevent.
 */
import { z } from "zod";
import { GraphEdit } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { constantsToInitializers, freezeInitializers, runPass } from "../passes/index.ts";
import { NetpareError } from "../tensor/error.ts";
import { scalar, tensor } from "../tensor/tensor.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { findLayerWeights, type LayerWeight, readInstead, settleRegrowth } from "./_layer-weights.ts";
import { addMasked, addRegrowing } from "./_masks.ts";
import { roundsOf, sparsityAfter, sparsitySchedules } from "./_pruning-schedule.ts";
import { measureSensitivity, shareOut } from "./_pruning-sensitivity.ts";
import { countZeros, smallest } from "./_smallest-weights.ts";
import { type Application, defineMethod, type MethodContext } from "./define-method.ts";

const params = z.object({
  sparsity: z.number().min(0).lt(1).optional().describe("share of the weights that become zero"),
  density: z.number().gt(0).max(1).optional().describe("share of the weights that stay; 1 - sparsity"),
  scope: z
    .enum(["global", "layer", "sensitivity"])
    .default("global")
    .describe(
      "rank weights over the whole network, remove the same share of each layer's, or what costs least accuracy when layers are pruned alone, which needs --data",
    ),
  samples: z.number().int().positive().default(512).describe("images on which layers are pruned alone"),
  sparsitySchedule: z
    .enum(sparsitySchedules)
    .default("one-shot")
    .describe(
      "prune at once, or in rounds with training in between: an equal share of what is left each, or much first and little last",
    ),
  rounds: z
    .number()
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "rounds of a schedule, by default 5 of iterative and 10 of gradual; between two, training takes --epochs divided by them, after the last all of --epochs",
    ),
  regrowth: z
    .boolean()
    .default(false)
    .describe("let pruned weights go on learning, and come back where they grow above the threshold"),
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
    "resnet32.onnx --sparsity 0.9 --sparsity-schedule gradual --data cifar10:DIR --epochs 3 --out sparse.onnx",
    "resnet32.onnx --sparsity 0.9 --scope sensitivity --regrowth --data cifar10:DIR --epochs 3 --out sparse.onnx",
  ],
  requires: ({ scope }) => (scope === "sensitivity" ? ["data"] : []),
  async apply(original, given, context): Promise<Application> {
    const sparsity = sparsityOf(given);
    const keep = layerMatcher(original, "keep", given.keep);
    if (sparsity === 0) return { graph: original, changes: [], skipped: [] };
    const rounds = roundsOf(given.sparsitySchedule, given.rounds, context);
    const prepared = runPass(constantsToInitializers, runPass(freezeInitializers, original).graph).graph;
    let graph = given.regrowth ? prepared : settleRegrowth(prepared, keep);
    const { weights, skipped } = findLayerWeights(graph, keep);
    const groupsAt = await createGroups(graph, weights, sparsity, given, context);
    const from = Math.min(sparsity, zeroShare(weights));
    const settled =
      graph === prepared ? [] : findLayerWeights(prepared, keep).weights.filter((weight) => weight.regrowing);
    const changed = new Set(settled.map(({ name }) => name));
    for (let round = 1; round <= rounds; round++) {
      const groups = groupsAt(sparsityAfter(given.sparsitySchedule, round / rounds, from, sparsity));
      const chosen = choose(findLayerWeights(graph, keep).weights, groups, given.regrowth);
      if (chosen.length === 0) continue;
      for (const { weight } of chosen) changed.add(weight.name);
      graph = given.regrowth ? regrow(graph, chosen) : mask(graph, chosen);
      if (round < rounds) graph = await context.fineTune!(graph, `round ${round} of ${rounds}`, 1 / rounds);
    }
    if (changed.size === 0) return { graph: original, changes: [], skipped };
    return { graph, changes: describeChanges(graph, keep, changed), skipped };
  },
});

function sparsityOf({ sparsity, density }: Params): number {
  if ((sparsity === undefined) === (density === undefined))
    throw new NetpareError("bad-option", "prune-magnitude wants exactly one of --sparsity and --density");
  return sparsity ?? 1 - density!;
}

function zeroShare(weights: readonly LayerWeight[]): number {
  const total = weights.reduce((sum, { tensor }) => sum + tensor.data.length, 0);
  return weights.reduce((sum, weight) => sum + countZeros(weight), 0) / total;
}

/** Weights that are ranked together, by their places, and how many of their elements go. */
interface Group {
  readonly places: readonly number[];
  readonly count: number;
}

/** What goes where at a share of zeros, as `scope` says; how much layers bear is measured once, before the first round. */
async function createGroups(
  graph: Graph,
  weights: readonly LayerWeight[],
  sparsity: number,
  { scope, samples: limit }: Params,
  { samples, progress }: MethodContext,
): Promise<(share: number) => Group[]> {
  const sizes = weights.map(({ tensor }) => tensor.data.length);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (scope === "global") return (share) => [{ places: [...sizes.keys()], count: Math.round(share * total) }];
  if (scope === "layer")
    return (share) => sizes.map((size, place) => ({ places: [place], count: Math.round(share * size) }));
  if (samples === undefined)
    throw new NetpareError("bad-option", "prune-magnitude: scope sensitivity measures accuracy on images; give --data");
  const curves = await measureSensitivity(graph, weights, 1 - sparsity, { samples, limit, progress });
  return (share) => shareOut(curves, Math.round(share * total)).map((count, place) => ({ places: [place], count }));
}

/** What becomes zero of a weight: 1 where an element goes, and the largest magnitude that does. */
interface Pruned {
  readonly weight: LayerWeight;
  readonly removed: Uint8Array;
  readonly border: number;
}

/** What goes of each weight, but for weights which that would leave as they are. */
function choose(weights: readonly LayerWeight[], groups: readonly Group[], regrowth: boolean): Pruned[] {
  return groups
    .flatMap(({ places, count }) => {
      const ranked = places.map((place) => weights[place]!);
      const { removed, border } = smallest(ranked, count);
      return ranked.map((weight, i) => ({ weight, removed: removed[i]!, border }));
    })
    .filter(({ weight, removed, border }) => {
      if (regrowth) return border >= 0 && weight.regrowing?.threshold !== border;
      const fresh = weight.tensor.data.some((value, at) => removed[at] === 1 && value !== 0);
      return fresh || (!weight.masked && removed.includes(1));
    });
}

function mask(graph: Graph, chosen: readonly Pruned[]): Graph {
  const edit = new GraphEdit(graph);
  for (const { weight, removed } of chosen) {
    const { name, tensor: stored } = weight;
    const left = stored.data.map((value, i) => (removed[i] ? 0 : value));
    edit.setInitializer(name, tensor("float32", stored.shape, left));
    if (!weight.masked) readInstead(edit, weight.layers, addMasked(edit, name));
  }
  return edit.apply();
}

/** Lets what is not above the border count as zero; stored values stay. */
function regrow(graph: Graph, chosen: readonly Pruned[]): Graph {
  const edit = new GraphEdit(graph);
  for (const { weight, border } of chosen)
    if (weight.regrowing) edit.setInitializer(weight.regrowing.initializer, scalar(border));
    else readInstead(edit, weight.layers, addRegrowing(edit, weight.name, border));
  return edit.apply();
}

function describeChanges(graph: Graph, keep: (node: Node) => boolean, changed: ReadonlySet<string>): string[] {
  return findLayerWeights(graph, keep).weights.flatMap((weight) => {
    const { length } = weight.tensor.data;
    const left = length - countZeros(weight);
    return changed.has(weight.name) ? [`${weight.layers.map(layerName).join(", ")}: ${length} weights to ${left}`] : [];
  });
}
