/**
 * Nodes that change nothing go: Identity, Dropout in inference, and Reshape, Transpose, Cast, Pad, Slice, Concat, Expand and the
 * like where their output is their input. A Transpose of a Transpose becomes one, a reshape of a reshape reads the first's input.
 */
import { ints } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Dim, type Graph, type Node, nodeLabel, producers } from "../graph/graph.ts";
import { type Fact, knownIntegers } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { int64s } from "../tensor/tensor.ts";
import type { Pass } from "./pass.ts";

export const removeIdentity: Pass = {
  name: "remove-identity",
  apply(graph) {
    const facts = inferFacts(graph);
    const edit = new GraphEdit(graph);
    // One kind at a time: a joined node may read what a removed one wrote.
    const removed = removeNeutral(graph, facts, edit);
    const changes = removed.length > 0 ? removed : joinPairs(graph, facts, edit);
    return { graph: changes.length > 0 ? edit.apply() : graph, changes, skipped: [] };
  },
};

function removeNeutral(graph: Graph, facts: Facts, edit: GraphEdit): string[] {
  const read = consumers(graph);
  const writer = producers(graph);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const named = new Set(outputs);
  const sources = new Map<string, string>();
  const changes: string[] = [];
  for (const node of graph.nodes) {
    const [from, to] = [node.inputs[0] ?? "", node.outputs[0] ?? ""];
    if (node.outputs.slice(1).some((name) => read.has(name) || outputs.has(name))) continue;
    if (node.domain !== "" || !neutral[node.op]?.(node, facts)) continue;
    const source = sources.get(from) ?? from;
    if (outputs.has(to)) {
      // The writer of the source can take over the output's name, unless it writes another output or is no node.
      if (!writer.has(source) || named.has(source)) continue;
      named.add(source);
    }
    sources.set(to, source);
    edit.rename(to, from);
    edit.replace(node);
    changes.push(`${nodeLabel(node)} changes nothing and was removed`);
  }
  return changes;
}

/** Whether a node's first output is its first input, for each operator that can be so. */
const neutral: Readonly<Record<string, (node: Node, facts: Facts) => boolean>> = {
  Identity: () => true,
  Dropout: (node) => !node.inputs[2],
  Cast: (node, facts) => facts.get(node.inputs[0]!)?.dtype === facts.get(node.outputs[0]!)?.dtype,
  Transpose: (node, facts) =>
    permutationOf(node, facts.get(node.inputs[0]!))?.every((from, to) => from === to) ?? false,
  Reshape: (node, facts) => keepsShape(node, facts, 1),
  Flatten: (node, facts) => keepsShape(node, facts, 1),
  Squeeze: (node, facts) => keepsShape(node, facts, 1),
  Unsqueeze: (node, facts) => keepsShape(node, facts, 1),
  Expand: keepsShape,
  Tile: keepsShape,
  Concat: (node) => node.inputs.length === 1,
  Sum: (node) => node.inputs.length === 1,
  Max: (node) => node.inputs.length === 1,
  Min: (node) => node.inputs.length === 1,
  Mean: (node) => node.inputs.length === 1,
  Pad: (node, facts) => knownIntegers(facts.get(node.inputs[1]!))?.every((amount) => amount === 0) ?? false,
  Slice(node, facts) {
    const forward = !node.inputs[4] || knownIntegers(facts.get(node.inputs[4]))?.every((step) => step > 0);
    return forward === true && keepsShape(node, facts);
  },
};

/** Whether input and output are known to have one shape; `open` dynamic dimensions may go without a name. */
function keepsShape(node: Node, facts: Facts, open = 0): boolean {
  const [x, y] = [facts.get(node.inputs[0]!)?.shape, facts.get(node.outputs[0]!)?.shape];
  if (x === undefined || y === undefined || x.length !== y.length) return false;
  return x.every((dim, axis) => dim === y[axis]) && x.filter((dim) => dim === "?").length <= open;
}

function permutationOf(node: Node, x: Fact | undefined): readonly number[] | undefined {
  const perm = node.attributes.perm;
  if (perm?.kind === "ints") return perm.value;
  return x?.shape?.map((_, axis) => x.shape!.length - 1 - axis);
}

const reshapes = new Set(["Flatten", "Reshape", "Squeeze", "Unsqueeze"]);

function joinPairs(graph: Graph, facts: Facts, edit: GraphEdit): string[] {
  const writer = producers(graph);
  const changes: string[] = [];
  const touched = new Set<Node>();
  for (const node of graph.nodes) {
    const first = writer.get(node.inputs[0] ?? "");
    if (first === undefined || touched.has(first) || node.domain !== "" || first.domain !== "") continue;
    const joined = joinTransposes(first, node, facts) ?? joinReshapes(first, node, facts, edit);
    if (joined === undefined) continue;
    touched.add(node);
    edit.replace(node, joined);
    changes.push(`${nodeLabel(first)} and ${nodeLabel(node)} were joined`);
  }
  return changes;
}

function joinTransposes(first: Node, second: Node, facts: Facts): Node | undefined {
  if (first.op !== "Transpose" || second.op !== "Transpose") return undefined;
  const inner = permutationOf(first, facts.get(first.inputs[0]!));
  const outer = permutationOf(second, facts.get(second.inputs[0]!));
  if (inner === undefined || outer === undefined) return undefined;
  return { ...second, inputs: first.inputs, attributes: { perm: ints(outer.map((axis) => inner[axis]!)) } };
}

function joinReshapes(first: Node, second: Node, facts: Facts, edit: GraphEdit): Node | undefined {
  if (!reshapes.has(first.op) || !reshapes.has(second.op)) return undefined;
  const [x, y] = [facts.get(first.inputs[0]!), facts.get(second.outputs[0]!)];
  const target = x?.shape && y?.shape && reshapeTarget(x.shape, y.shape);
  if (target === undefined) return undefined;
  const shape = edit.addInitializer(`${second.outputs[0]}_shape`, int64s(target));
  return { ...second, op: "Reshape", inputs: [first.inputs[0]!, shape], attributes: {} };
}

/** A constant that reshapes `from` to `to`; undefined where more than one dynamic dimension would have to be found. */
function reshapeTarget(from: readonly Dim[], to: readonly Dim[]): number[] | undefined {
  if (to.includes(0)) return undefined;
  const target = to.map((dim, axis) => (typeof dim === "number" ? dim : dim !== "?" && dim === from[axis] ? 0 : -1));
  return target.filter((dim) => dim === -1).length <= 1 ? target : undefined;
}
