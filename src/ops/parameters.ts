/** Which constants of a graph are trained parameters. */
import { type Graph, type Node, producers } from "../graph/graph.ts";
import { findOp } from "./registry.ts";

/**
 * The initializers that nodes read as weights, directly or through nodes that depend on constants alone (a mask, a reshaped
 * or dequantized weight), each with the node that first reads it so. Only the operators' own weight positions are followed
 * from a node; inside a constant expression every input counts that its operator calls a weight or that leads to one.
 */
export function findParameters(graph: Graph): Map<string, Node> {
  const writer = producers(graph);
  const varying = new Set(
    graph.inputs.filter((input) => !graph.initializers.has(input.name)).map((input) => input.name),
  );
  for (const node of graph.nodes)
    if (node.inputs.some((input) => varying.has(input))) for (const output of node.outputs) varying.add(output);
  const parameters = new Map<string, Node>();
  const collect = (value: string, reader: Node) => {
    if (value === "" || varying.has(value)) return;
    if (graph.initializers.has(value)) {
      if (!parameters.has(value)) parameters.set(value, reader);
      return;
    }
    const node = writer.get(value);
    if (node === undefined) return;
    const positions = findOp(node)?.weights ?? [];
    for (const i of positions.length > 0 ? positions : [0]) collect(node.inputs[i] ?? "", reader);
  };
  for (const node of graph.nodes) {
    if (!node.inputs.some((input) => varying.has(input))) continue;
    for (const i of findOp(node)?.weights ?? []) collect(node.inputs[i] ?? "", node);
  }
  return parameters;
}
