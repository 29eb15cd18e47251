/**
 * A training step as a sequence: the forward pass, then the backward pass, each update as soon as its gradient is there. What a
 * value costs and when it is used follows from its place in the sequence; "stored" is a value of the forward pass that the
 * backward pass reads.
 */
import type { TrainingStep } from "../autodiff/training-step.ts";
import { type Graph, type Node, readsOf } from "../graph/graph.ts";
import { staticShape } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { findOp } from "../ops/registry.ts";
import { elementBits } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";

/** A step's nodes in the order in which they run. */
export interface OrderedStep {
  readonly graph: Graph;
  readonly facts: Facts;
  readonly nodes: readonly Node[];
  /** The first `forward` nodes are the forward pass. */
  readonly forward: number;
  /** Position of the node that writes a value. */
  readonly writtenAt: ReadonlyMap<string, number>;
  /** Ascending positions of the nodes that read a value. */
  readonly readAt: ReadonlyMap<string, readonly number[]>;
  /** Values that are handed in anew each step: states, images, labels, learning rate. */
  readonly given: ReadonlySet<string>;
  /** Values that the step hands out: next states, loss, correct answers. */
  readonly results: ReadonlySet<string>;
}

/** Orders the nodes of `step`. */
export function orderStep(step: TrainingStep): OrderedStep {
  const { graph } = step;
  const forward = ancestors(graph.nodes, [step.loss, step.correct]);
  const main = ancestors(graph.nodes, [step.loss, step.correct, ...step.gradients.values()]);
  const nodes = [
    ...graph.nodes.filter((node) => forward.has(node)),
    ...graph.nodes.filter((node) => main.has(node) && !forward.has(node)),
  ];
  const ordered = withUpdates(nodes, graph);
  const last = (names: readonly string[]) =>
    ordered.findLastIndex(({ outputs }) => outputs.some((output) => names.includes(output)));
  return sequence(graph, ordered, 1 + last([step.loss, step.correct]));
}

/** `nodes`, in the order in which they run, of which the first `forward` are the forward pass. */
export function sequence(graph: Graph, nodes: readonly Node[], forward: number): OrderedStep {
  const writtenAt = new Map(nodes.flatMap((node, at) => node.outputs.map((output) => [output, at] as const)));
  const readAt = new Map<string, number[]>();
  for (const [at, node] of nodes.entries())
    for (const input of new Set(readsOf(node))) {
      const known = readAt.get(input);
      if (known) known.push(at);
      else readAt.set(input, [at]);
    }
  return {
    graph,
    facts: inferFacts(graph),
    nodes,
    forward,
    writtenAt,
    readAt,
    given: new Set(graph.inputs.map(({ name }) => name)),
    results: new Set(graph.outputs.map(({ name }) => name)),
  };
}

function ancestors(nodes: readonly Node[], names: readonly string[]): Set<Node> {
  const wanted = new Set(names);
  const found = new Set<Node>();
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    found.add(node);
    for (const input of readsOf(node)) wanted.add(input);
  }
  return found;
}

/** Puts what leads from `main` to each further output right behind the last node of `main` that it reads. */
function withUpdates(main: readonly Node[], graph: Graph): Node[] {
  const place = new Map(main.flatMap((node, at) => node.outputs.map((output) => [output, at] as const)));
  const placed = new Set(main);
  const behind = new Map<number, Node[]>();
  for (const { name } of graph.outputs) {
    const needed = ancestors(graph.nodes, [name]);
    const update = graph.nodes.filter((node) => needed.has(node) && !placed.has(node));
    if (update.length === 0) continue;
    const reads = update.flatMap((node) => readsOf(node).map((input) => place.get(input) ?? 0));
    const at = Math.max(0, ...reads);
    behind.set(at, [...(behind.get(at) ?? []), ...update]);
    for (const node of update) {
      placed.add(node);
      for (const output of node.outputs) place.set(output, at);
    }
  }
  return main.flatMap((node, at) => [node, ...(behind.get(at) ?? [])]);
}

/** Bytes of a value. */
export function bytesOf({ facts }: OrderedStep, name: string): number {
  const fact = facts.get(name);
  return fact === undefined ? 0 : (sizeOf(staticShape(fact)) * elementBits(fact.dtype)) / 8;
}

/** Multiply-accumulates of a node. */
export function macsOf({ facts }: OrderedStep, node: Node): number {
  const factsOf = (names: readonly string[]) => names.map((name) => (name === "" ? undefined : facts.get(name)));
  const outputs = node.outputs.map((name) => facts.get(name) ?? { dtype: "float32" as const, shape: undefined });
  return findOp(node)?.macs(node, factsOf(node.inputs), outputs) ?? 0;
}
