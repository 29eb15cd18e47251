/** Nodes and initializers that no graph output depends on go. */
import { nodeLabel } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import type { Pass } from "./pass.ts";

export const removeDeadNodes: Pass = {
  name: "remove-dead",
  apply(graph) {
    const live = removeDead(graph);
    const kept = new Set(live.nodes);
    const changes = [
      ...graph.nodes.filter((node) => !kept.has(node)).map((node) => `nothing reads ${nodeLabel(node)}`),
      ...[...graph.initializers.keys()]
        .filter((name) => !live.initializers.has(name))
        .map((name) => `nothing reads the initializer '${name}'`),
    ];
    return { graph: changes.length === 0 ? graph : live, changes, skipped: [] };
  },
};
