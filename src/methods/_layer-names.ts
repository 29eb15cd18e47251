/** How users name layers in options: by a node's name, or by a regular expression that matches the whole of it. */
import type { Graph, Node } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";

/** The name by which users know a node: its own, or its first output's where it has none. */
export const layerName = (node: Node): string => node.name || node.outputs[0]!;

/**
 * A test for nodes that `names` name.
 * @throws NetpareError `bad-option` where an entry names no node of the graph.
 */
export function layerMatcher(graph: Graph, option: string, names: readonly string[]): (node: Node) => boolean {
  const tests = names.map((name) => {
    const pattern = compile(name);
    const test = (node: Node) => layerName(node) === name || (pattern?.test(layerName(node)) ?? false);
    if (!graph.nodes.some(test))
      throw new NetpareError(
        "bad-option",
        `${option}: '${name}' names no layer of the model; \`netpare inspect\` lists their names`,
      );
    return test;
  });
  return (node) => tests.some((test) => test(node));
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return undefined;
  }
}
