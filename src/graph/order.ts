/** Topological order, and removal of what no output depends on. */
import { NetpareError } from "../tensor/error.ts";
import { type Graph, type Node, nodeLabel, readsOf } from "./graph.ts";

/**
 * The nodes in an order in which each follows its producers; the given order is kept where it allows.
 * @throws NetpareError `bad-model` on a cycle.
 */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const writer = new Map<string, Node>();
  for (const node of nodes) for (const output of node.outputs) if (output !== "") writer.set(output, node);
  const state = new Map<Node, "open" | "done">();
  const sorted: Node[] = [];
  for (const root of nodes) {
    const stack: { node: Node; reads: readonly string[]; next: number }[] = [];
    const enter = (node: Node) => {
      if (state.get(node) === "open") throw new NetpareError("bad-model", `${nodeLabel(node)} depends on itself`);
      if (state.get(node) === "done") return;
      state.set(node, "open");
      stack.push({ node, reads: readsOf(node), next: 0 });
    };
    enter(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.reads[top.next++];
      if (input !== undefined) {
        const producer = writer.get(input);
        if (producer) enter(producer);
      } else {
        state.set(top.node, "done");
        sorted.push(top.node);
        stack.pop();
      }
    }
  }
  return sorted;
}

/** The graph without nodes and initializers that no output depends on. Graph inputs stay. */
export function removeDead(graph: Graph): Graph {
  const live = new Set(graph.outputs.map((output) => output.name));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => live.has(output))) continue;
    nodes.push(node);
    for (const input of readsOf(node)) live.add(input);
  }
  const inputs = new Set(graph.inputs.map((input) => input.name));
  const initializers = new Map([...graph.initializers].filter(([name]) => live.has(name) || inputs.has(name)));
  return { ...graph, nodes: nodes.reverse(), initializers };
}
