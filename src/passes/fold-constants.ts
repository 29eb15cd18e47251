/**
 * Values that depend on constants alone, or that shape inference knows, become initializers, computed by the reference.
 * Never folded: what a graph input feeds, results above `maxElements`, and expressions over trained parameters, in which
 * methods speak (a mask, a codebook, a quantized weight): of those only nodes that merely rearrange what no other node reads.
 * Bytes that a Gather reads as integers stay bytes, and what an operator makes of less, as HashedWeight does, stays that operator.
 */
import { consumers, type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import { type Fact, knownIntegers } from "../ops/fact.ts";
import { inferFacts } from "../ops/infer.ts";
import { findParameters } from "../ops/parameters.ts";
import { findOp } from "../ops/registry.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensorOf } from "../tensor/tensor.ts";
import type { Pass, Skipped } from "./pass.ts";

/** What constant folding may do. */
export interface FoldOptions {
  /** Largest result in elements. */
  readonly maxElements?: number;
  /** Whether expressions over trained parameters are folded too, which undoes masks, codebooks and, but for "unquantized", quantized weights. */
  readonly parameters?: boolean | "unquantized";
}

const rearranging = new Set(["Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"]);

/** The pass with its limits. */
export function foldConstantsWith({ maxElements = 2 ** 24, parameters = false }: FoldOptions): Pass {
  return {
    name: "fold-constants",
    apply(graph) {
      const fixed = new Map(graph.initializers);
      for (const input of graph.inputs) fixed.delete(input.name);
      const trained = new Set(
        parameters === "unquantized" ? quantizedConstants(graph) : parameters ? [] : trainedConstants(graph),
      );
      const facts = inferFacts(graph);
      const outputs = new Set(graph.outputs.map((output) => output.name));
      const readers = consumers(graph);
      const isReadOnce = (name: string) => readers.get(name)?.length === 1;
      const folded: Node[] = [];
      const skipped: Skipped[] = [];
      for (const node of graph.nodes) {
        if (findOp(node) === undefined || node.outputs.some((output) => outputs.has(output))) continue;
        if (!parameters && isIndexBytes(node, fixed, readers)) continue;
        const reads = node.inputs.filter((input) => trained.has(input));
        const rearranges =
          rearranging.has(node.op) && reads.length === 1 && reads[0] === node.inputs[0] && isReadOnce(reads[0]!);
        if (reads.length > 0 && !rearranges) {
          for (const output of node.outputs)
            if (node.inputs.every((i) => i === "" || fixed.has(i))) trained.add(output);
          continue;
        }
        const result = foldNode(node, fixed, facts, maxElements);
        if (typeof result === "string") skipped.push({ node: nodeLabel(node), reason: result });
        if (result === undefined || typeof result === "string") continue;
        for (const [name, value] of result) fixed.set(name, value);
        if (rearranges) for (const name of result.keys()) trained.add(name);
        folded.push(node);
      }
      return { ...replaceFolded(graph, folded, fixed), skipped };
    },
  };
}

/** Folds constants within the default limits. */
export const foldConstants: Pass = foldConstantsWith({});

/** Folds masks and codebooks too, which training needs and a shipped file does not; quantized weights stay. */
export const foldWeights: Pass = { ...foldConstantsWith({ parameters: "unquantized" }), name: "fold-weights" };

/** Parameters as methods know them: int64 vectors at their places are shapes. */
function trainedConstants(graph: Graph): string[] {
  return [...findParameters(graph).keys()].filter((name) => graph.initializers.get(name)?.dtype !== "int64");
}

/** What is quantized, or gives its scale and zero point. */
function quantizedConstants(graph: Graph): string[] {
  return graph.nodes.flatMap(({ op, inputs }) => (op === "QuantizeLinear" || op === "DequantizeLinear" ? inputs : []));
}

/** Whether a node widens the bytes of a codebook's indices, which as constants would take four times the room. */
function isIndexBytes(
  { op, inputs, outputs }: Node,
  fixed: ReadonlyMap<string, Tensor>,
  readers: ReadonlyMap<string, readonly Node[]>,
): boolean {
  const to = readers.get(outputs[0]!) ?? [];
  return op === "Cast" && fixed.get(inputs[0]!)?.dtype === "uint8" && to.every((reader) => reader.op === "Gather");
}

/** The values of a node's outputs; undefined where they are not constant, a reason where they are and may not be folded. */
function foldNode(
  node: Node,
  fixed: ReadonlyMap<string, Tensor>,
  facts: ReadonlyMap<string, Fact>,
  maxElements: number,
): Map<string, Tensor> | string | undefined {
  const written = node.outputs.filter((output) => output !== "");
  const op = findOp(node);
  const constant = node.inputs.every((input) => input === "" || fixed.has(input));
  if (op === undefined || op.stored || node.op === "Constant") return undefined;
  if (!constant) return knownContents(written, facts);
  const size = written.reduce((sum, name) => sum + elementsOf(facts.get(name)), 0);
  if (size > maxElements) return `its result has ${size} elements, more than the limit of ${maxElements}`;
  const values = op.evaluate(
    node,
    node.inputs.map((input) => fixed.get(input)),
  );
  return new Map(node.outputs.flatMap((name, i) => (name !== "" && values[i] ? [[name, values[i]]] : [])));
}

/** Shape arithmetic whose result inference knows although its inputs vary. */
function knownContents(names: readonly string[], facts: ReadonlyMap<string, Fact>): Map<string, Tensor> | undefined {
  const entries = names.map((name) => {
    const fact = facts.get(name);
    const dims = knownIntegers(fact);
    if (fact?.shape === undefined || dims === undefined || fact.dtype !== "int64" || fact.dims === undefined)
      return undefined;
    return [name, tensorOf("int64", fact.shape.length === 0 ? [] : [dims.length], dims)] as const;
  });
  return entries.every((entry) => entry !== undefined) ? new Map(entries) : undefined;
}

const elementsOf = (fact: Fact | undefined) =>
  sizeOf((fact?.shape ?? ["?"]).map((dim) => (typeof dim === "number" ? dim : Number.POSITIVE_INFINITY)));

function replaceFolded(graph: Graph, folded: readonly Node[], values: ReadonlyMap<string, Tensor>) {
  if (folded.length === 0) return { graph, changes: [] };
  const gone = new Set(folded);
  const nodes = graph.nodes.filter((node) => !gone.has(node));
  const initializers = new Map([...values, ...graph.initializers]);
  const next = removeDead({ ...graph, nodes, initializers });
  return { graph: next, changes: folded.map((node) => `${nodeLabel(node)} was computed`) };
}
