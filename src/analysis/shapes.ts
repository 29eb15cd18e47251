/** Types of all values of a graph. */
import type { Graph, ValueType } from "../graph/graph.ts";
import { type InferOptions, inferFacts } from "../ops/infer.ts";

/**
 * Element type and shape of every value by name; dynamic dimensions keep their names, or become `batch` where they lead an input.
 * @throws NetpareError naming the node where shapes do not fit.
 */
export function inferShapes(graph: Graph, options: InferOptions = {}): Map<string, ValueType> {
  return new Map([...inferFacts(graph, options)].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
}
