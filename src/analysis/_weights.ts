/**
 * What the weights of a node are made of. A weight may be a constant, or an expression over constants (a mask, a codebook, a
 * dequantized or reshaped tensor); its source are the stored tensors the expression starts from.
 */
import { type Graph, type Node, producers } from "../graph/graph.ts";
import type { Facts } from "../ops/infer.ts";
import { findOp } from "../ops/registry.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A stored tensor behind a weight. */
export interface WeightSource {
  readonly name: string;
  readonly tensor: Tensor;
  /** Whether its elements are trained numbers, and not indices, scales or a mask of 0 and 1. */
  readonly trained: boolean;
}

/** The weights of a graph's nodes. */
export interface Weights {
  /** Whether a value depends on an input that is fed. */
  varies(value: string): boolean;
  /** The stored tensors behind the weights of a node. */
  sources(node: Node): WeightSource[];
  /** The computed weights of a node at its weight positions. */
  effective(node: Node): Tensor[];
}

/** Reads the weights of `graph`, of which `facts` are known. */
export function readWeights(graph: Graph, facts: Facts): Weights {
  const writer = producers(graph);
  const varying = varyingValues(graph);
  const computed = new Map<string, Tensor | undefined>();
  const stored = (value: string) =>
    graph.initializers.get(value) ?? (writer.get(value)?.op === "Constant" ? facts.get(value)?.constant : undefined);

  const compute = (value: string): Tensor | undefined => {
    if (value === "" || varying.has(value)) return undefined;
    const held = stored(value) ?? computed.get(value);
    const node = writer.get(value);
    if (held !== undefined || node === undefined || computed.has(value)) return held;
    const inputs = node.inputs.map(compute);
    const complete = node.inputs.every((input, i) => input === "" || inputs[i] !== undefined);
    const outputs = complete ? (findOp(node)?.evaluate(node, inputs) ?? []) : [];
    node.outputs.forEach((output, i) => {
      computed.set(output, outputs[i]);
    });
    return computed.get(value);
  };

  const collect = (value: string, trained: boolean, found: Map<string, WeightSource>) => {
    if (value === "" || varying.has(value)) return;
    const held = stored(value);
    const node = writer.get(value);
    if (held !== undefined) {
      // An int64 vector at the place of a weight is a shape or an axis in shape arithmetic.
      if (trained && held.dtype === "int64") return;
      // A number in a Constant node is a factor: methods write there what no training is to move.
      const isFactor = node?.op === "Constant" && held.data.length === 1;
      const isTrained = (trained && !isFactor) || found.get(value)?.trained === true;
      found.set(value, { name: value, tensor: held, trained: isTrained });
      return;
    }
    const op = node && findOp(node);
    if (node === undefined || op === undefined) return;
    // Operators that hold weights, or take any number of inputs, combine all of theirs; others pass their first one on.
    const joins = op.inputs[0]?.endsWith("...") === true;
    const combines = joins || op.weights.length > 0;
    node.inputs.forEach((input, i) => {
      const isWeight = joins || !combines || (op.weights.includes(i) && !isMask(node, i, stored));
      if (combines || i === 0) collect(input, trained && isWeight, found);
    });
  };

  return {
    varies: (value) => varying.has(value),
    sources(node) {
      const found = new Map<string, WeightSource>();
      for (const i of findOp(node)?.weights ?? []) collect(node.inputs[i] ?? "", true, found);
      return [...found.values()];
    },
    effective: (node) =>
      (findOp(node)?.weights ?? []).flatMap((i) => {
        const value = compute(node.inputs[i] ?? "");
        return value === undefined || value.dtype === "int64" ? [] : [value];
      }),
  };
}

function varyingValues(graph: Graph): Set<string> {
  const varying = new Set(
    graph.inputs.filter((input) => !graph.initializers.has(input.name)).map((input) => input.name),
  );
  for (const node of graph.nodes)
    if (node.inputs.some((input) => varying.has(input)))
      for (const output of node.outputs) if (output !== "") varying.add(output);
  return varying;
}

/** Whether input `i` of a constant product holds only 0 and 1 and has as many elements as the other factor. */
function isMask(node: Node, i: number, stored: (value: string) => Tensor | undefined): boolean {
  if (node.op !== "Mul") return false;
  const [mask, other] = [stored(node.inputs[i]!), stored(node.inputs[1 - i]!)];
  if (mask === undefined || (other !== undefined && other.data.length !== mask.data.length)) return false;
  return mask.data.every((v: number | bigint) => Number(v) === 0 || Number(v) === 1);
}
