/**
 * The plan by which a training step keeps to a memory budget, after vDNN (Rhu et al. 2016, arXiv:1602.08124), which moves what
 * the backward pass needs out of an accelerator's memory and back, and after Chen et al. (2016, arXiv:1604.06174), who compute it
 * anew. Here "out" is a file. Policies:
 *
 * keep          every stored value stays; the step is only cut, where it must be
 * offload-all   every stored value goes to the file (vDNN_all)
 * offload-conv  what convolutions read goes to the file (vDNN_conv)
 * recompute     what is needed less is computed anew; where the step must be cut, all that does not cross the cuts
 * auto          value by value, what costs least time for the bytes it frees where memory is tightest
 */
import { type Node, readsOf } from "../graph/graph.ts";
import { recomputableValues, recomputeWithin } from "./one-session.ts";
import { bytesOf, macsOf, type OrderedStep } from "./ordered-step.ts";
import { peakOf, peakWithin } from "./peak.ts";
import { cutStep, type Fate, type Range, recomputation, smallestBytes, storedValues, wholeStep } from "./ranges.ts";

export const memoryPolicies = ["keep", "offload-all", "offload-conv", "recompute", "auto"] as const;
export type MemoryPolicy = (typeof memoryPolicies)[number];

/** A step in ranges, with what it is expected to take. */
export interface MemoryPlan {
  /** What the ranges cut: the step, or in one range the step with what it computes anew. */
  readonly step: OrderedStep;
  readonly ranges: readonly Range[];
  readonly fates: ReadonlyMap<string, Fate>;
  /** Whether the engine holds its memory from step to step, or asks for it anew: less at the peak, and slower. */
  readonly memory: "held" | "fresh";
  /** Peak bytes of the step's values, states included. */
  readonly peakBytes: number;
  /** Multiply-accumulates that are done again in each step. */
  readonly recomputedMacs: number;
  /** Bytes that go to the file, and come back, in each step. */
  readonly offloadedBytes: number;
}

/** Rates by which lost time is weighed; only their proportion matters. */
const macsPerSecond = 6e10;
const touchedBytesPerSecond = 3e9;
const fileBytesPerSecond = 1e9;
/** Memory that a range asks of the system. */
const freshBytesPerSecond = 1.5e9;

/** Into how many ranges the forward pass is cut, as far as it can be. */
const rangeCounts = [1, 2, 4, 8, 16, 32];

/**
 * The plan that loses least time among those whose values take at most `budget` bytes; the one that takes least memory where
 * there is none, or no budget is given.
 */
export function planMemory(step: OrderedStep, policy: MemoryPolicy, budget = 0): MemoryPlan {
  const cut = rangeCounts.map((count) => {
    const cuts = evenCuts(step, count);
    return policy === "auto" ? freeUntil(step, cuts, budget) : planOf(step, cuts, fatesOf(step, cuts, policy));
  });
  const plans = [uncut(step, policy, budget, "held"), uncut(step, policy, budget, "fresh"), ...cut];
  const within = plans.filter(({ peakBytes }) => peakBytes <= budget);
  if (within.length === 0) return plans.toSorted((a, b) => a.peakBytes - b.peakBytes)[0]!;
  return within.toSorted((a, b) => secondsLost(a) - secondsLost(b))[0]!;
}

/** The step as one range, which computes anew what is the best bargain at its peak until it is within the budget. */
function uncut(step: OrderedStep, policy: MemoryPolicy, budget: number, memory: MemoryPlan["memory"]): MemoryPlan {
  const fates = new Map<string, Fate>();
  const open = new Set(policy === "auto" || policy === "recompute" ? recomputableValues(step) : []);
  for (;;) {
    const { step: twice, recomputed } = recomputeWithin(step, new Set(fates.keys()));
    const range = wholeStep(twice, recomputed);
    const { bytes, held } = peakOf(twice, [range], memory);
    const bargains = [...open]
      .filter((name) => held.has(name) && bytesOf(step, name) >= smallestBytes)
      .map((name) => ({ name, cost: recomputeSeconds(step, fates, name) / bytesOf(step, name) }))
      .toSorted((a, b) => a.cost - b.cost);
    if (bytes <= budget || bargains.length === 0) return describe(twice, [range], fates, memory);
    let missing = bytes - budget;
    for (const { name } of bargains) {
      if (missing <= 0) break;
      open.delete(name);
      fates.set(name, "recompute");
      missing -= bytesOf(step, name);
    }
  }
}

function planOf(step: OrderedStep, cuts: readonly number[], fates: ReadonlyMap<string, Fate>): MemoryPlan {
  return describe(step, cutStep(step, cuts, fates), fates, "fresh");
}

function describe(
  step: OrderedStep,
  ranges: readonly Range[],
  fates: ReadonlyMap<string, Fate>,
  memory: MemoryPlan["memory"],
): MemoryPlan {
  const again = ranges.flatMap(({ recomputed }) => recomputed);
  const offloaded = [...fates].filter(([, fate]) => fate === "offload");
  return {
    step,
    ranges,
    fates,
    memory,
    peakBytes: peakOf(step, ranges, memory).bytes,
    recomputedMacs: again.reduce((sum, node) => sum + macsOf(step, node), 0),
    offloadedBytes: offloaded.reduce((sum, [name]) => sum + bytesOf(step, name), 0),
  };
}

/** Positions that cut the forward pass into about `count` ranges which store as much as each other. */
function evenCuts(step: OrderedStep, count: number): number[] {
  const stored = storedValues(step);
  const total = stored.reduce((sum, name) => sum + bytesOf(step, name), 0);
  const cuts = new Set<number>();
  let sum = 0;
  for (const name of stored) {
    sum += bytesOf(step, name);
    const at = step.writtenAt.get(name)! + 1;
    if (sum >= ((cuts.size + 1) * total) / count && at < step.forward) cuts.add(at);
    if (cuts.size === count - 1) break;
  }
  return [...cuts];
}

/** The fates that a policy gives. */
function fatesOf(
  step: OrderedStep,
  cuts: readonly number[],
  policy: Exclude<MemoryPolicy, "auto">,
): ReadonlyMap<string, Fate> {
  const large = storedValues(step).filter((name) => bytesOf(step, name) >= smallestBytes);
  const give = (fate: Fate, to: (name: string) => boolean) =>
    new Map(large.filter(to).map((name) => [name, fate] as const));
  const forwardReads = (name: string) => step.readAt.get(name)!.filter((at) => at < step.forward);
  switch (policy) {
    case "keep":
      return new Map();
    case "offload-all":
      return give("offload", () => true);
    case "offload-conv":
      return give("offload", (name) => forwardReads(name).some((at) => step.nodes[at]!.op === "Conv"));
    case "recompute":
      return give("recompute", (name) => {
        const from = step.writtenAt.get(name)!;
        return forwardReads(name).every((at) => !cuts.some((cut) => from < cut && cut <= at));
      });
  }
}

/** Gives up stored values, the best bargains first, until the peak is within the budget or nothing is left to give. */
function freeUntil(step: OrderedStep, cuts: readonly number[], budget: number): MemoryPlan {
  const fates = new Map<string, Fate>();
  let best = planOf(step, cuts, fates);
  let plan = best;
  while (plan.peakBytes > budget) {
    const { held } = peakOf(step, plan.ranges);
    const bargains = storedValues(step)
      .filter((name) => !fates.has(name) && held.has(name) && bytesOf(step, name) >= smallestBytes)
      .map((name) => bargain(step, fates, name))
      .toSorted((a, b) => a.secondsPerByte - b.secondsPerByte);
    if (bargains.length === 0) break;
    let missing = plan.peakBytes - budget;
    for (const { name, fate } of bargains) {
      if (missing <= 0) break;
      fates.set(name, fate);
      missing -= bytesOf(step, name);
    }
    plan = planOf(step, cuts, new Map(fates));
    if (plan.peakBytes < best.peakBytes) best = plan;
  }
  return best;
}

/** The cheaper way to do without a value between the passes. */
function bargain(step: OrderedStep, fates: ReadonlyMap<string, Fate>, name: string) {
  const recompute = recomputeSeconds(step, fates, name);
  const offload = (2 * bytesOf(step, name)) / fileBytesPerSecond;
  const fate: Fate = recompute <= offload ? "recompute" : "offload";
  return { name, fate, secondsPerByte: Math.min(recompute, offload) / bytesOf(step, name) };
}

function recomputeSeconds(step: OrderedStep, fates: ReadonlyMap<string, Fate>, name: string): number {
  return computeSeconds(step, recomputation(step, [name], new Map([...fates, [name, "recompute"]])));
}

function computeSeconds(step: OrderedStep, nodes: readonly Node[]): number {
  const touched = nodes.flatMap((node) => [...readsOf(node), ...node.outputs]);
  const bytes = touched.reduce((sum, name) => sum + bytesOf(step, name), 0);
  return nodes.reduce((sum, node) => sum + macsOf(step, node), 0) / macsPerSecond + bytes / touchedBytesPerSecond;
}

function secondsLost({ step, ranges, memory, offloadedBytes }: MemoryPlan): number {
  const recomputed = ranges.reduce((sum, range) => sum + computeSeconds(step, range.recomputed), 0);
  const handed = ranges.flatMap(({ writes }) => writes).reduce((sum, name) => sum + bytesOf(step, name), 0);
  const fresh =
    memory === "held"
      ? 0
      : ranges.reduce((sum, range) => sum + peakWithin(step, range, ranges.length > 1).bytes, handed);
  return recomputed + (2 * offloadedBytes) / fileBytesPerSecond + fresh / freshBytesPerSecond;
}
