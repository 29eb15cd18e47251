/**
 * A step cut into ranges that run one after the other, and what of the forward pass is still there when the backward pass comes
 * to it: kept, written to a file and read back (offload), or computed anew from what was kept (recompute).
 *
 * The forward pass is cut where it is told to be; the backward pass where the first stored value of a forward range is read, so
 * that the ranges of one pass mirror those of the other. Recomputed nodes join the range that reads them.
 */
import { type Graph, type Node, readsOf } from "../graph/graph.ts";
import { bytesOf, type OrderedStep } from "./ordered-step.ts";

/** What becomes of a stored value between the passes. */
export type Fate = "keep" | "recompute" | "offload";

/** Smaller values stay: they are not worth a node or a file's block. */
export const smallestBytes = 1 << 18;

/** Nodes that run as one graph, and what happens to values around them. */
export interface Range {
  /** In order; nodes of the forward pass that are computed anew come first. */
  readonly nodes: readonly Node[];
  readonly recomputed: readonly Node[];
  /** Values that are read back from the file before. */
  readonly load: readonly string[];
  /** Values that must be there: given to the step, or written by earlier ranges. */
  readonly reads: readonly string[];
  /** Values that later ranges or the caller read. */
  readonly writes: readonly string[];
  /** Values that go to the file after. */
  readonly spill: readonly string[];
  /** Values that nothing reads any more, or not before they are loaded. */
  readonly drop: readonly string[];
}

/** The values of the forward pass that the backward pass reads, in order. */
export function storedValues(step: OrderedStep): string[] {
  return step.nodes
    .slice(0, step.forward)
    .flatMap((node) => node.outputs)
    .filter((name) => (step.readAt.get(name)?.at(-1) ?? -1) >= step.forward);
}

/**
 * Cuts a step.
 * @param cuts - ascending positions of the forward pass at which a new range begins, without 0
 * @param fates - of stored values; those left out are kept
 */
export function cutStep(step: OrderedStep, cuts: readonly number[], fates: ReadonlyMap<string, Fate>): Range[] {
  const marks = new Set([0, ...cuts, step.forward, ...backwardCuts(step, cuts), step.nodes.length]);
  const bounds = [...marks].sort((a, b) => a - b);
  const parts = bounds.slice(0, -1).map((from, i) => {
    const own = step.nodes.slice(from, bounds[i + 1]);
    const recomputed = from < step.forward ? [] : recomputation(step, own.flatMap(readsOf), fates);
    return { own, recomputed, backward: from >= step.forward, reads: outerReads(step, [...recomputed, ...own]) };
  });
  const uses = usesOf(parts);
  return parts.map(({ own, recomputed, reads }, i) => {
    const writes = own
      .flatMap((node) => node.outputs)
      .filter((name) => step.results.has(name) || lastUse(uses.get(name), fates.get(name)) > i);
    const leaving = [...reads, ...writes].filter((name) => fates.get(name) === "offload");
    const spill = leaving.filter((name) => {
      const { forward, backward } = uses.get(name)!;
      return i < backward[0]! && Math.max(i, ...forward) === i;
    });
    const over = reads.filter((name) => lastUse(uses.get(name), fates.get(name)) === i && !isOutside(step, name));
    return {
      nodes: [...recomputed, ...own],
      recomputed,
      load: reads.filter((name) => fates.get(name) === "offload" && uses.get(name)!.backward[0] === i),
      reads,
      writes,
      spill,
      drop: [...new Set([...over, ...spill])],
    };
  });
}

/** The step as one range. */
export function wholeStep({ nodes, given, results }: OrderedStep, recomputed: readonly Node[] = []): Range {
  return { nodes, recomputed, load: [], reads: [...given], writes: [...results], spill: [], drop: [] };
}

/** Whether the caller holds the value, too. */
const isOutside = (step: OrderedStep, name: string) => step.given.has(name) || step.results.has(name);

/**
 * The graph of a range: reads what earlier ranges wrote, writes what later ones read. onnxruntime walks from the last node that
 * nothing reads to what it needs, then from the one before it: in the reverse of their order it comes to the range's own.
 */
export function rangeGraph(step: OrderedStep, { nodes, reads, writes }: Range): Graph {
  const typed = (name: string) => {
    const { dtype, shape } = step.facts.get(name)!;
    return { name, dtype, shape };
  };
  const used = new Set(nodes.flatMap(readsOf));
  const isLast = ({ outputs }: Node) => !outputs.some((output) => used.has(output));
  return {
    ...step.graph,
    inputs: reads.map(typed),
    outputs: writes.map(typed),
    nodes: [...nodes.filter((node) => !isLast(node)), ...nodes.filter(isLast).reverse()],
    initializers: new Map([...step.graph.initializers].filter(([name]) => used.has(name))),
  };
}

/** Where the backward pass begins to need what each range of the forward pass stored. */
function backwardCuts(step: OrderedStep, cuts: readonly number[]): number[] {
  const bounds = [0, ...cuts, step.forward];
  const first = new Map<number, number>();
  for (const name of storedValues(step)) {
    const at = step.writtenAt.get(name)!;
    const range = bounds.findLastIndex((bound) => bound <= at);
    const read = step.readAt.get(name)!.find((position) => position >= step.forward)!;
    first.set(range, Math.min(read, first.get(range) ?? Number.POSITIVE_INFINITY));
  }
  return [...first.values()];
}

/** The nodes of the forward pass that must run again to have `names`: down to what is given or was not dropped. */
export function recomputation(step: OrderedStep, names: readonly string[], fates: ReadonlyMap<string, Fate>): Node[] {
  const again = new Set<Node>();
  const isThere = (name: string) => {
    const at = step.writtenAt.get(name);
    if (at === undefined || at >= step.forward || bytesOf(step, name) < smallestBytes) return true;
    return (step.readAt.get(name)?.at(-1) ?? -1) >= step.forward && fates.get(name) !== "recompute";
  };
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (isThere(name)) continue;
    const producer = step.nodes[step.writtenAt.get(name)!]!;
    if (again.has(producer)) continue;
    again.add(producer);
    open.push(...readsOf(producer));
  }
  return step.nodes.slice(0, step.forward).filter((node) => again.has(node));
}

/** What `nodes` read and do not write, initializers aside. */
function outerReads(step: OrderedStep, nodes: readonly Node[]): string[] {
  const written = new Set(nodes.flatMap((node) => node.outputs));
  return [...new Set(nodes.flatMap(readsOf))].filter(
    (name) => !written.has(name) && (step.given.has(name) || step.writtenAt.has(name)),
  );
}

/** The ranges that read a value, of either pass. */
interface Uses {
  readonly forward: number[];
  readonly backward: number[];
}

function usesOf(
  parts: readonly { readonly backward: boolean; readonly reads: readonly string[] }[],
): Map<string, Uses> {
  const uses = new Map<string, Uses>();
  for (const [i, { backward, reads }] of parts.entries())
    for (const name of reads) {
      const known = uses.get(name) ?? { forward: [], backward: [] };
      uses.set(name, known);
      known[backward ? "backward" : "forward"].push(i);
    }
  return uses;
}

/** The last range for which a value is held from where it was written, or loaded. */
function lastUse(uses: Uses | undefined, fate: Fate | undefined): number {
  if (uses === undefined) return -1;
  return Math.max(-1, ...uses.forward, ...(fate === "recompute" ? [] : uses.backward));
}
