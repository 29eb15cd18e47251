/**
 * A pass rewrites a graph and keeps what it computes. Passes are pure functions; what one did, and what it left alone and why,
 * is data. `runPass` checks the result: the graph is well formed, and its outputs have the types they had.
 */
import type { Dim, Graph, ValueType } from "../graph/graph.ts";
import { verifyGraph } from "../graph/verify.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";

/** What a pass gives. */
export interface PassResult {
  readonly graph: Graph;
  /** What was done, a sentence each; empty where the graph is unchanged. */
  readonly changes: readonly string[];
  /** What was not done, and why. */
  readonly skipped: readonly Skipped[];
}

/** A node that a pass left alone. */
export interface Skipped {
  readonly node: string;
  readonly reason: string;
}

/** A named rewrite. */
export interface Pass {
  readonly name: string;
  readonly apply: (graph: Graph) => PassResult;
}

/**
 * Applies a pass and verifies what it made.
 * @throws Error `internal: …` naming the pass where it broke the graph.
 */
export function runPass(pass: Pass, graph: Graph): PassResult {
  const result = pass.apply(graph);
  if (result.changes.length === 0) return result;
  try {
    verifyGraph(result.graph);
    checkOutputs(graph, inferFacts(graph), inferFacts(result.graph));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`internal: the pass ${pass.name} broke the graph: ${message}`, { cause: error });
  }
  return result;
}

function checkOutputs(graph: Graph, before: Facts, after: Facts): void {
  for (const { name } of graph.outputs) {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === undefined || is === undefined || !compatible(was, is))
      throw new Error(`output '${name}' was ${describe(was)} and is ${describe(is)}`);
  }
}

/** Whether two types can be those of one value; an unknown dimension may have become known. */
function compatible(a: ValueType, b: ValueType): boolean {
  if (a.dtype !== b.dtype) return false;
  if (a.shape === undefined || b.shape === undefined) return true;
  const same = (p: Dim, q: Dim | undefined) => p === q || p === "?" || q === "?";
  return a.shape.length === b.shape.length && a.shape.every((dim, axis) => same(dim, b.shape?.[axis]));
}

const describe = (type: ValueType | undefined) => (type ? `${type.dtype}[${type.shape ?? "?"}]` : "not there");
