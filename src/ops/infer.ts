/** Walks a graph forward and gathers the facts of all its values. */
import { type Dim, type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { constantFact, type Fact, isStatic } from "./fact.ts";
import { findOp } from "./registry.ts";

/** Facts by value name. */
export type Facts = ReadonlyMap<string, Fact>;

/** How dynamic dimensions of the graph's inputs are to be read. */
export interface InferOptions {
  /** The size that stands for a dynamic first dimension of an input; left dynamic where undefined. */
  readonly batch?: number;
}

/** Results up to this many elements are computed while inferring: shape arithmetic, axes, small tables. */
const foldLimit = 4096;

/**
 * The facts of every value of `graph`.
 * @throws NetpareError naming the node where shapes do not fit.
 */
export function inferFacts(graph: Graph, options: InferOptions = {}): Facts {
  const facts = new Map<string, Fact>();
  for (const [name, constant] of graph.initializers) facts.set(name, constantFact(constant));
  for (const { name, dtype, shape } of graph.inputs) {
    if (facts.has(name)) continue;
    facts.set(name, { dtype, shape: options.batch === undefined ? shape : shape?.map(bindBatch(options.batch)) });
  }
  for (const node of graph.nodes) {
    const inferred = inferNode(node, facts);
    node.outputs.forEach((output, i) => {
      facts.set(output, inferred[i]!);
    });
  }
  facts.delete("");
  return facts;
}

const bindBatch = (batch: number) => (dim: Dim, axis: number) => (axis === 0 && typeof dim === "string" ? batch : dim);

/**
 * The facts of a node's outputs, one for each. An operator that is not known gives outputs of unknown shape.
 * @throws NetpareError naming the node where its inputs do not fit.
 */
export function inferNode(node: Node, facts: Facts): readonly Fact[] {
  const inputs = node.inputs.map((name) => (name === "" ? undefined : facts.get(name)));
  const op = findOp(node);
  const unknown: Fact = { dtype: inputs[0]?.dtype ?? "float32", shape: undefined };
  if (op === undefined) return node.outputs.map(() => unknown);
  try {
    const inferred = op.infer(node, inputs);
    return node.outputs.map((_, i) => fold(op.evaluate, node, inputs, inferred[i] ?? unknown, i));
  } catch (error) {
    if (error instanceof NetpareError && !error.message.startsWith(node.op))
      throw new NetpareError(error.code, `${nodeLabel(node)}: ${error.message}`);
    throw error;
  }
}

function fold(
  evaluate: NonNullable<ReturnType<typeof findOp>>["evaluate"],
  node: Node,
  inputs: readonly (Fact | undefined)[],
  fact: Fact,
  output: number,
): Fact {
  const { shape } = fact;
  if (fact.constant !== undefined || !isStatic(shape)) return fact;
  if (isStatic(fact.dims)) return { ...fact, constant: tensorOf(fact.dtype, shape, fact.dims) };
  if (sizeOf(shape) > foldLimit || !inputs.every((input) => input === undefined || isSmallConstant(input))) return fact;
  const constant = evaluate(
    node,
    inputs.map((input) => input?.constant),
  )[output];
  return constant === undefined ? fact : { ...fact, constant };
}

const isSmallConstant = (fact: Fact) => fact.constant !== undefined && fact.constant.data.length <= foldLimit;
