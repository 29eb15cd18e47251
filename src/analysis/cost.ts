/**
 * What a network costs before anything runs: parameters, multiply-accumulates, bytes of weights and activations.
 * Parameters are the trained numbers behind the weight positions of operators, each counted once, at the first layer that reads
 * it. Scales, indices and masks in an expression that makes a weight are none, but their bytes are weight bytes. Running
 * statistics of a normalization and shapes are neither.
 * Activations are held from the node that writes them to the last that reads them, none computed in place.
 */
import type { Dim, Graph, Node } from "../graph/graph.ts";
import { type Fact, isStatic } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { findOp } from "../ops/registry.ts";
import { elementBits, elementBytes } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { readWeights, type WeightSource, type Weights } from "./_weights.ts";

/** The cost of one node that depends on the input. */
export interface LayerCost {
  readonly name: string;
  readonly op: string;
  /** Of the first output; dynamic dimensions by name. */
  readonly shape: readonly Dim[];
  readonly parameters: number;
  readonly macs: number;
  readonly weightBytes: number;
  /** Share of zeros in the largest weight, in [0, 1]; 0 without weights. */
  readonly sparsity: number;
  /** Bits of an element of the largest stored tensor; 0 without weights. */
  readonly bits: number;
}

/** A node whose cost is not known. */
export interface Unsupported {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

/** The cost of a graph. */
export interface Cost {
  readonly parameters: number;
  readonly macs: number;
  readonly weightBytes: number;
  /** All values that depend on the input, the input included. */
  readonly activationBytes: number;
  /** The most that is held at one time. */
  readonly peakActivationBytes: number;
  readonly layers: readonly LayerCost[];
  readonly unsupported: readonly Unsupported[];
}

/**
 * The cost of running `graph` once with `batch` in the place of a dynamic first dimension.
 * @throws NetpareError naming the node where shapes do not fit.
 */
export function analyzeCost(graph: Graph, { batch = 1 }: { readonly batch?: number } = {}): Cost {
  const facts = inferFacts(graph, { batch });
  const weights = readWeights(graph, facts);
  const counted = new Set<string>();
  const layers: LayerCost[] = [];
  const unsupported: Unsupported[] = [];
  for (const node of graph.nodes) {
    const reason = whyUnknown(node, facts);
    if (reason !== undefined) unsupported.push({ node: nameOf(node), op: node.op, reason });
    if (node.inputs.some(weights.varies)) layers.push(layerCost(node, facts, weights, counted));
  }
  const sum = (key: "parameters" | "macs" | "weightBytes") => layers.reduce((total, layer) => total + layer[key], 0);
  return {
    parameters: sum("parameters"),
    macs: sum("macs"),
    weightBytes: sum("weightBytes"),
    ...activationBytes(graph, facts, weights),
    layers,
    unsupported,
  };
}

const nameOf = (node: Node) => node.name || node.outputs[0]!;

function whyUnknown(node: Node, facts: Facts): string | undefined {
  if (findOp(node) === undefined) return "netpare does not know this operator";
  const shape = facts.get(node.outputs[0]!)?.shape;
  return isStatic(shape) ? undefined : `the shape of its output is not known: [${shape ?? "?"}]`;
}

function layerCost(node: Node, facts: Facts, weights: Weights, counted: Set<string>): LayerCost {
  const fact = (name: string) => (name === "" ? undefined : facts.get(name));
  const inputs = node.inputs.map(fact);
  const outputs = node.outputs.map((name): Fact => fact(name) ?? { dtype: "float32", shape: undefined });
  const ranked = [...inputs, outputs[0]].every((given) => given === undefined || given.shape !== undefined);
  const sources = weights.sources(node).filter((source) => !counted.has(source.name));
  for (const source of sources) counted.add(source.name);
  return {
    name: nameOf(node),
    op: node.op,
    shape: outputs[0]?.shape ?? [],
    parameters: sources.reduce((sum, source) => sum + (source.trained ? source.tensor.data.length : 0), 0),
    macs: ranked ? (findOp(node)?.macs(node, inputs, outputs) ?? 0) : 0,
    weightBytes: sources.reduce((sum, { tensor }) => sum + tensor.data.byteLength, 0),
    sparsity: zeroShare(largest(weights.effective(node))),
    bits: bitsOf(sources),
  };
}

function largest(tensors: readonly Tensor[]): Tensor | undefined {
  return tensors.reduce<Tensor | undefined>((a, b) => (a && a.data.length >= b.data.length ? a : b), undefined);
}

function bitsOf(sources: readonly WeightSource[]): number {
  const main = largest(sources.map((source) => source.tensor));
  return main === undefined ? 0 : elementBits(main.dtype);
}

function zeroShare(t: Tensor | undefined): number {
  if (t === undefined || t.data.length === 0) return 0;
  // Half floats are held as raw bits, of which the sign does not count.
  const mask = t.dtype === "float16" || t.dtype === "bfloat16" ? 0x7fff : undefined;
  let zeros = 0;
  for (const v of t.data) if (mask === undefined ? Number(v) === 0 : (Number(v) & mask) === 0) zeros++;
  return zeros / t.data.length;
}

function activationBytes(graph: Graph, facts: Facts, weights: Weights) {
  const bytes = (name: string) => {
    const fact = facts.get(name);
    return weights.varies(name) && fact && isStatic(fact.shape) ? sizeOf(fact.shape) * elementBytes(fact.dtype) : 0;
  };
  const lastRead = new Map<string, number>();
  graph.nodes.forEach((node, at) => {
    for (const name of [...node.outputs, ...node.inputs]) lastRead.set(name, at);
  });
  for (const { name } of graph.outputs) lastRead.set(name, graph.nodes.length);
  const fed = graph.inputs.map((input) => input.name);
  let activationBytes = fed.reduce((sum, name) => sum + bytes(name), 0);
  let held = activationBytes;
  let peakActivationBytes = held;
  graph.nodes.forEach((node, at) => {
    const written = node.outputs.reduce((sum, name) => sum + bytes(name), 0);
    activationBytes += written;
    held += written;
    peakActivationBytes = Math.max(peakActivationBytes, held);
    for (const name of new Set([...node.outputs, ...node.inputs])) if (lastRead.get(name) === at) held -= bytes(name);
  });
  return { activationBytes, peakActivationBytes };
}
