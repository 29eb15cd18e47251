/** Checks a graph's form: names written once, nodes in topological order, outputs that exist. */
import { NetpareError } from "../tensor/error.ts";
import { type Graph, nodeLabel, readsOf } from "./graph.ts";

/**
 * Returns `graph` where it is well formed.
 * @throws NetpareError `bad-model` naming the node and value where it is not.
 */
export function verifyGraph(graph: Graph): Graph {
  const written = new Set<string>();
  for (const name of graph.initializers.keys()) written.add(name);
  const inputs = new Set<string>();
  for (const { name } of graph.inputs) {
    if (inputs.has(name)) throw new NetpareError("bad-model", `graph input '${name}' is declared twice`);
    inputs.add(name);
    written.add(name);
  }
  for (const node of graph.nodes) {
    for (const input of readsOf(node))
      if (input !== "" && !written.has(input))
        throw new NetpareError("bad-model", `${nodeLabel(node)} reads '${input}', which nothing before it writes`);
    for (const output of node.outputs) {
      if (output === "") continue;
      if (written.has(output))
        throw new NetpareError("bad-model", `${nodeLabel(node)} writes '${output}', which is already written`);
      written.add(output);
    }
  }
  if (graph.outputs.length === 0) throw new NetpareError("bad-model", "the graph has no output");
  for (const { name } of graph.outputs)
    if (!written.has(name)) throw new NetpareError("bad-model", `graph output '${name}' is written by nothing`);
  return graph;
}
