/**
 * Decides which nodes of a network run on integers.
 *
 * Layers with weights always may. Sums, products and pools may where an integer comes in and an integer layer follows. What
 * only moves elements (Slice, Pad, Concat, MaxPool, …) is carried out on the 8-bit values themselves, so that its inputs and
 * outputs share one scale. A Relu or Clip behind a layer or a sum vanishes: the range of what is written says the same.
 */
import { type Graph, type Node, consumers as readersOf } from "../graph/graph.ts";
import type { Facts } from "../ops/infer.ts";
import { type Layer, layerOf, type Refusal } from "./_int8-layer.ts";

/** How a node is written. */
export type Step =
  | { readonly kind: "float" }
  | { readonly kind: "absorbed" }
  /** A convolution or dense layer; `writes` is the value that is quantized, undefined where the layer's output stays float. */
  | { readonly kind: "layer"; readonly layer: Layer; readonly writes: string | undefined }
  /** An operator between two scales, which onnxruntime fuses with what stands around it. */
  | { readonly kind: "rescaled"; readonly writes: string }
  /** An operator that reads and writes 8-bit values of one scale. */
  | { readonly kind: "carried" };

export interface Plan {
  readonly steps: ReadonlyMap<Node, Step>;
  /** Values whose range must be known: those that are quantized when written, and floats that integer nodes read. */
  readonly sources: ReadonlySet<string>;
  /** The value that stands for all that share a scale with `value`. */
  readonly representative: (value: string) => string;
  readonly skipped: readonly { readonly node: string; readonly reason: string }[];
}

/** Operators with an 8-bit kernel between two scales, and how many of their inputs are data. */
const rescaling: Readonly<Record<string, number>> = {
  Add: 2,
  Mul: 2,
  GlobalAveragePool: 1,
  AveragePool: 1,
  LeakyRelu: 1,
  Sigmoid: 1,
};

/** Operators that move or choose elements and compute nothing. */
const carrying = new Set([
  ...["Relu", "Clip", "MaxPool", "Concat", "Reshape", "Flatten", "Transpose", "Slice", "Pad", "Squeeze", "Unsqueeze"],
  ...["Identity", "Split", "Gather", "DepthToSpace", "SpaceToDepth", "Expand", "Tile"],
]);

type Role = { kind: "float" | "carried" | "rescaled" | "layer"; reads: readonly string[]; layer?: Layer };

/** Plans the integer form of a graph of float32 values; layers for which `keepFloat` holds stay as they are. */
export function planInt8(graph: Graph, facts: Facts, keepFloat: (node: Node) => boolean): Plan {
  const skipped: { node: string; reason: string }[] = [];
  const roles = new Map<Node, Role>();
  for (const node of graph.nodes) {
    const found = keepFloat(node) ? undefined : layerOf(graph, facts, node);
    if (found && "reason" in found) skipped.push({ node: node.name || node.outputs[0]!, reason: found.reason });
    roles.set(node, roleOf(graph, facts, node, found));
  }
  const possible = findPossible(graph, facts, roles);
  const wanted = findWanted(graph, roles, possible);
  return assignSteps(graph, roles, wanted, possible, skipped);
}

function roleOf(graph: Graph, facts: Facts, node: Node, layer: Layer | Refusal | undefined): Role {
  if (layer && !("reason" in layer)) return { kind: "layer", reads: [node.inputs[0]!], layer };
  const known =
    node.domain === "" && node.outputs.filter((name) => name !== "").every((name) => isFloat32(facts, name));
  if (!known) return { kind: "float", reads: [] };
  if (node.op in rescaling) {
    const reads = node.inputs.slice(0, rescaling[node.op]);
    if (reads.every((name) => isFloat32(facts, name) && facts.get(name)?.constant === undefined))
      return { kind: "rescaled", reads };
  }
  if (carrying.has(node.op) && isCarried(graph, facts, node))
    return { kind: "carried", reads: node.op === "Concat" ? node.inputs : [node.inputs[0]!] };
  return { kind: "float", reads: [] };
}

const isFloat32 = (facts: Facts, name: string) => facts.get(name)?.dtype === "float32";

/** Whether the operator's other inputs can be given for 8-bit values as well. */
function isCarried(graph: Graph, facts: Facts, node: Node): boolean {
  const constant = (name: string | undefined) => !name || graph.initializers.has(name);
  if (node.op === "MaxPool" || node.op === "Relu") return node.outputs.length === 1;
  if (node.op === "Clip" || node.op === "Pad") return node.inputs.slice(1).every(constant);
  return node.op !== "Gather" || !isFloat32(facts, node.inputs[1]!);
}

/** Values that can be had as integers. */
function findPossible(graph: Graph, facts: Facts, roles: ReadonlyMap<Node, Role>): Set<string> {
  const possible = new Set<string>();
  for (const node of graph.nodes) {
    const { kind, reads, layer } = roles.get(node)!;
    const known = reads.filter((name) => possible.has(name)).length;
    const writes =
      (kind === "layer" && (!layer!.onlyAmongIntegers || known > 0)) ||
      (kind === "carried" && known === reads.length) ||
      (kind === "rescaled" && known > 0 && reads.every((name) => isFloat32(facts, name)));
    if (writes) for (const output of node.outputs) if (output !== "") possible.add(output);
  }
  return possible;
}

/** Values that an integer layer reads, directly or through what stands between. */
function findWanted(graph: Graph, roles: ReadonlyMap<Node, Role>, possible: ReadonlySet<string>): Set<string> {
  const wanted = new Set<string>();
  for (const node of graph.nodes.toReversed()) {
    const { kind, reads, layer } = roles.get(node)!;
    const leads = node.outputs.some((output) => possible.has(output) && wanted.has(output));
    if (leads || (kind === "layer" && !layer!.onlyAmongIntegers))
      if (kind !== "float") for (const name of reads) wanted.add(name);
  }
  return wanted;
}

function assignSteps(
  graph: Graph,
  roles: ReadonlyMap<Node, Role>,
  wanted: ReadonlySet<string>,
  possible: ReadonlySet<string>,
  skipped: Plan["skipped"],
): Plan {
  const readers = readersOf(graph);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const steps = new Map<Node, Step>();
  const integers = new Set<string>();
  const sources = new Set<string>();
  const groups = createGroups();
  const read = (name: string) => {
    if (!integers.has(name)) sources.add(name);
  };
  /** The activation that alone reads `value` and can vanish. */
  const absorbable = (value: string): Node | undefined => {
    const [reader, ...others] = readers.get(value) ?? [];
    if (reader === undefined || others.length > 0 || outputs.has(value)) return undefined;
    const activates = reader.op === "Relu" || reader.op === "Clip";
    return activates && roles.get(reader)?.kind === "carried" ? reader : undefined;
  };
  const writeFrom = (node: Node): string => {
    let value = node.outputs[0]!;
    for (let next = absorbable(value); next; next = absorbable(value)) {
      steps.set(next, { kind: "absorbed" });
      value = next.outputs[0]!;
    }
    integers.add(value).add(node.outputs[0]!);
    sources.add(value);
    return value;
  };
  for (const node of graph.nodes) {
    if (steps.has(node)) continue;
    const { kind, reads, layer } = roles.get(node)!;
    const leads = node.outputs.some((output) => possible.has(output) && wanted.has(output));
    const fed = reads.filter((name) => integers.has(name)).length;
    if (kind === "layer" && layer && (!layer.onlyAmongIntegers || (fed > 0 && leads))) {
      for (const name of reads) read(name);
      steps.set(node, { kind, layer, writes: layer.mayWriteFloat && !leads ? undefined : writeFrom(node) });
    } else if (kind === "rescaled" && fed > 0 && leads) {
      for (const name of reads) read(name);
      steps.set(node, { kind, writes: writeFrom(node) });
    } else if (kind === "carried" && fed === reads.length && reads.length > 0) {
      steps.set(node, { kind });
      for (const name of [...reads, ...node.outputs]) if (name !== "") groups.tie(reads[0]!, name);
      for (const name of node.outputs) integers.add(name);
    } else steps.set(node, { kind: "float" });
  }
  return { steps, sources, representative: groups.find, skipped };
}

/** Disjoint sets of values. */
function createGroups() {
  const parents = new Map<string, string>();
  const find = (name: string): string => {
    const parent = parents.get(name);
    return parent === undefined ? name : find(parent);
  };
  const tie = (a: string, b: string) => {
    const [p, q] = [find(a), find(b)];
    if (p !== q) parents.set(q, p);
  };
  return { find, tie };
}
