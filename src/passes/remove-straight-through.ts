/** StraightThrough, which only a gradient knows from its second operand, becomes that operand. */
import { GraphEdit } from "../graph/edit.ts";
import { nodeLabel } from "../graph/graph.ts";
import type { Pass } from "./pass.ts";

export const removeStraightThrough: Pass = {
  name: "remove-straight-through",
  apply(graph) {
    const nodes = graph.nodes.filter(({ op, domain }) => op === "StraightThrough" && domain === "netpare");
    if (nodes.length === 0) return { graph, changes: [], skipped: [] };
    const edit = new GraphEdit(graph);
    for (const node of nodes) {
      edit.rename(node.outputs[0]!, node.inputs[1]!);
      edit.replace(node);
    }
    return { graph: edit.apply(), changes: nodes.map((node) => `${nodeLabel(node)} was removed`), skipped: [] };
  },
};
