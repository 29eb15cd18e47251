/**
 * Structured pruning: whole channels go, with everything that depends on them (the dependency groups of Fang et al. 2023,
 * arXiv:2301.12900). A channel's importance is taken over all its weight slices s:
 *
 * - `l1`        mean over slices of `‖s‖₁ / mean ‖·‖₁ of its layer` (Li et al. 2016, arXiv:1608.08710), so that layers compare;
 * - `bn-scale`  mean of `|γ|` (network slimming, Liu et al. 2017, arXiv:1708.06519);
 * - `taylor`    mean over batches of `|Σ_s g·w|`, the change of the loss to first order (Molchanov et al. 2016, 2019,
 *               arXiv:1611.06440, 1906.10771).
 *
 * Channels go in rising importance, over the whole network or the same share everywhere, until the budget is met as counted on
 * the pruned graph. Limits: no group loses all of its channels (see prune-blocks for that).
 */
import { z } from "zod";
import {
  analyzeCost,
  type ChannelClass,
  type ChannelGroups,
  findChannelGroups,
  removeChannels,
} from "../analysis/index.ts";
import { type Graph, nodeLabel } from "../graph/graph.ts";
import { findOp } from "../ops/registry.ts";
import { constantsToInitializers, freezeInitializers, runPass } from "../passes/index.ts";
import { NetpareError } from "../tensor/error.ts";
import { importances, scoreClasses } from "./_channel-importance.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { type Application, defineMethod } from "./define-method.ts";

const share = z.number().gt(0).max(1);

const params = z.object({
  macs: share.optional().describe("share of the MACs to keep"),
  parameters: share.optional().describe("share of the parameters to keep"),
  ratio: z.number().min(0).lt(1).optional().describe("share of the channels to remove"),
  importance: z
    .enum(importances)
    .optional()
    .describe("how the importance of a channel is judged; by default taylor where there is --data, else l1"),
  scope: z
    .enum(["global", "uniform"])
    .default("global")
    .describe("rank channels over the whole network, or remove the same share everywhere"),
  roundTo: z
    .number()
    .int()
    .min(1)
    .max(256)
    .optional()
    .describe(
      "remove channels in lots of so many; by default 16, the lanes of a processor, and fewer in narrow layers",
    ),
  minShare: z.number().min(0).max(1).default(0.1).describe("share of every group's channels that stays in any case"),
  rounds: z
    .number()
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe("rounds of pruning, with fine-tuning in between where there is training, for all of --epochs each time"),
  keep: z
    .array(z.string())
    .default([])
    .describe("layers whose channels stay: names, or regular expressions that match whole names"),
});

type Params = z.output<typeof params>;

export const pruneChannels = defineMethod({
  name: "prune-channels",
  summary: "removes whole channels, and all that depends on them",
  paper:
    "Fang et al.: DepGraph, towards any structural pruning, 2023, arXiv:2301.12900; Li et al. 2016, arXiv:1608.08710",
  params,
  examples: [
    "resnet32.onnx --macs 0.5 --out pruned.onnx",
    "resnet32.onnx --ratio 0.3 --importance taylor --data cifar10:DIR --out pruned.onnx",
    "resnet32.onnx --macs 0.5 --data cifar10:DIR --epochs 3 --lr 0.02 --teacher resnet32.onnx --out tuned.onnx",
  ],
  requires: ({ importance }) => (importance === "taylor" ? ["data"] : []),
  async apply(original, given, context): Promise<Application> {
    const budget = createBudget(original, given);
    const importance = given.importance ?? (context.samples === undefined ? "l1" : "taylor");
    if (importance === "taylor" && context.samples === undefined)
      throw new NetpareError("bad-option", "importance taylor looks at images: give --data, or choose l1");
    if (budget.keepsAll) return { graph: original, changes: [], skipped: [] };
    let graph = runPass(constantsToInitializers, runPass(freezeInitializers, original).graph).graph;
    const skipped = listSkipped(graph, findChannelGroups(graph));
    for (let round = 1; round <= given.rounds; round++) {
      const groups = findChannelGroups(graph);
      const scores = await scoreClasses(graph, groups, importance, context.samples);
      const excess = budget.excess(groups.classes.length, round / given.rounds);
      context.progress(round - 1, given.rounds, "removing channels");
      graph = removeToBudget(graph, (lot) => rankLots(graph, groups, scores, given, lot), excess, given.roundTo);
      if (round < given.rounds && context.fineTune !== undefined)
        graph = await context.fineTune(graph, `round ${round} of ${given.rounds}`);
    }
    return { graph, changes: describeChanges(original, graph), skipped };
  },
});

/** Channels that go at once: classes of one family, with their mean importance. */
interface Lot {
  readonly classes: readonly ChannelClass[];
  readonly score: number;
}

/** How far a graph from which `removed` classes went is above a target, as a share; 0 or less where it is met. */
type Excess = (graph: Graph, removed: number) => number;

interface Budget {
  readonly keepsAll: boolean;
  /** The excess over what the given part of the way asks for, starting from so many classes. */
  excess(classes: number, part: number): Excess;
}

function createBudget(original: Graph, { macs, parameters, ratio, rounds }: Params): Budget {
  if ([macs, parameters, ratio].filter((value) => value !== undefined).length !== 1)
    throw new NetpareError("bad-option", "prune-channels wants exactly one of --macs, --parameters and --ratio");
  const kept = macs ?? parameters ?? 1 - (ratio ?? 0);
  const costOf = (graph: Graph) => (macs === undefined ? analyzeCost(graph).parameters : analyzeCost(graph).macs);
  const whole = ratio === undefined ? costOf(original) : 0;
  return {
    keepsAll: kept === 1,
    // Rounds keep the same share of what is left each, so that all of them together keep what was asked for.
    excess: (classes, part) =>
      ratio === undefined
        ? (graph) => costOf(graph) / whole - kept ** part
        : (_graph, removed) => 1 - removed / classes - kept ** (1 / rounds),
  };
}

/** What may go, in the order in which it goes, in lots of `lotOf` a family's size. */
function rankLots(
  graph: Graph,
  { families }: ChannelGroups,
  scores: ReadonlyMap<ChannelClass, number>,
  { keep, minShare, scope }: Params,
  lotOf: (size: number) => number,
): Lot[] {
  const spared = new Set(graph.nodes.filter(layerMatcher(graph, "keep", keep)).flatMap((node) => node.outputs));
  const lots = families.flatMap(({ axes, classes }): Lot[] => {
    if (axes.some(({ value }) => spared.has(value))) return [];
    const size = classes.length;
    const lot = lotOf(size);
    const floor = Math.ceil(Math.max(1, minShare * size) / lot) * lot;
    const rising = classes.filter((found) => scores.has(found)).toSorted((a, b) => scores.get(a)! - scores.get(b)!);
    const removable = Math.min(rising.length, size - floor);
    const made: Lot[] = [];
    for (let at = 0, length = size % lot || lot; at + length <= removable; at += length, length = lot) {
      const chosen = rising.slice(at, at + length);
      const mean = chosen.reduce((sum, found) => sum + scores.get(found)!, 0) / length;
      made.push({ classes: chosen, score: scope === "uniform" ? (at + length) / size : mean });
    }
    return made;
  });
  return lots.toSorted((a, b) => a.score - b.score);
}

/** A processor's lanes: layers whose width they divide lose no speed. */
const lanes = 16;

/**
 * Removes lots until the budget is met. Lots have `roundTo` channels; where that is left open, as many as a processor has lanes
 * and at most half of a family, or fewer where only finer lots meet the budget.
 */
function removeToBudget(
  graph: Graph,
  rank: (lotOf: (size: number) => number) => Lot[],
  excess: Excess,
  roundTo: number | undefined,
): Graph {
  if (roundTo !== undefined)
    return insist(
      removeUntil(
        graph,
        rank(() => roundTo),
        excess,
      ),
    );
  for (let most = lanes; most > 1; most /= 2) {
    const lotOf = (size: number) => Math.max(1, Math.min(most, 2 ** Math.floor(Math.log2(size / 2))));
    const found = removeUntil(graph, rank(lotOf), excess);
    if (Math.abs(found.over) <= tolerated) return found.cut;
  }
  return insist(
    removeUntil(
      graph,
      rank(() => 1),
      excess,
    ),
  );
}

function insist({ cut, over }: Cut): Graph {
  if (over <= tolerated) return cut;
  throw new NetpareError(
    "bad-option",
    `the budget cannot be met: with all removable channels gone ${(100 * over).toFixed(1)} points of the cost are too many; ask for less, or lower --min-share or --round-to`,
  );
}

/** A graph from which lots went, and how far above the target it is. */
interface Cut {
  readonly cut: Graph;
  readonly over: number;
}

/** Removes lots in order until the excess is nearest to none; what one lot overshoots, later and smaller ones may fill. */
function removeUntil(graph: Graph, lots: readonly Lot[], excess: Excess): Cut {
  const remove = (chosen: readonly Lot[]): Cut => {
    const classes = chosen.flatMap((lot) => lot.classes);
    const cut = removeChannels(graph, classes);
    return { cut, over: excess(cut, classes.length) };
  };
  const all = remove(lots);
  if (all.over >= 0) return all;
  let [low, high] = [0, lots.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (remove(lots.slice(0, middle)).over > 0) low = middle;
    else high = middle;
  }
  const chosen = lots.slice(0, low);
  let best = nearer(remove(chosen), remove(lots.slice(0, high)));
  for (const lot of lots.slice(low, low + fillingTries)) {
    if (Math.abs(best.over) < wellMet) break;
    const next = remove([...chosen, lot]);
    best = nearer(best, next);
    if (next.over > 0) chosen.push(lot);
  }
  return best;
}

/** The cut whose cost is nearer to the target; one that misses it is farther than any that meets it. */
function nearer(a: Cut, b: Cut): Cut {
  const distance = ({ over }: Cut) => (over > tolerated ? 1 + over : Math.abs(over));
  return distance(b) < distance(a) ? b : a;
}

const fillingTries = 20;

/** A cost this near to the target, as a share of the whole, is met; one that lies above by more than `tolerated` is missed. */
const wellMet = 0.003;
const tolerated = 0.01;

/** Layers whose output channels nothing may remove, and why. */
function listSkipped(graph: Graph, { classes, pinned }: ChannelGroups): Application["skipped"] {
  const prunable = new Set(classes.flatMap(({ members }) => members.map(({ value }) => value)));
  const layers = graph.nodes.filter((node) => (findOp(node)?.countsMacs ?? false) && !prunable.has(node.outputs[0]!));
  const reason = "its channels reach an output of the network or a node around which none can go";
  return [...pinned, ...layers.map((node) => ({ node: nodeLabel(node), reason }))];
}

function describeChanges(before: Graph, after: Graph): string[] {
  const shapes = (graph: Graph) => new Map(analyzeCost(graph).layers.map((layer) => [layer.name, layer.shape[1]]));
  const now = shapes(after);
  return [...shapes(before)].flatMap(([name, channels]) => {
    const left = now.get(name);
    return left === undefined || left === channels || !weightedLayer(before, name)
      ? []
      : [`${name}: ${channels} channels to ${left}`];
  });
}

const weightedLayer = (graph: Graph, name: string) =>
  graph.nodes.some((node) => layerName(node) === name && (findOp(node)?.countsMacs ?? false));
