/**
 * Dropout and BatchNormalization in training mode become what they are in inference: the identity, and a normalization by the
 * running statistics. Refused where something reads the batch's statistics.
 */
import { int } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import type { Pass, Skipped } from "./pass.ts";

export const disableTraining: Pass = {
  name: "disable-training",
  apply(graph) {
    const read = readValues(graph);
    const edit = new GraphEdit(graph);
    const changes: string[] = [];
    const skipped: Skipped[] = [];
    for (const node of graph.nodes) {
      if (!isTraining(node)) continue;
      const [output, ...rest] = node.outputs;
      if (node.op === "BatchNormalization" && rest.some((name) => read.has(name))) {
        skipped.push({ node: nodeLabel(node), reason: "something reads the statistics of the batch" });
        continue;
      }
      edit.replace(
        node,
        node.op === "Dropout"
          ? { ...node, inputs: node.inputs.slice(0, 2) }
          : { ...node, outputs: [output!], attributes: { ...node.attributes, training_mode: int(0) } },
      );
      changes.push(`${nodeLabel(node)} was set to inference`);
    }
    return { graph: changes.length === 0 ? graph : edit.apply(), changes, skipped };
  },
};

function isTraining(node: Node): boolean {
  if (node.domain !== "") return false;
  if (node.op === "Dropout") return Boolean(node.inputs[2]);
  const mode = node.attributes.training_mode;
  return node.op === "BatchNormalization" && mode?.kind === "int" && mode.value !== 0;
}

function readValues(graph: Graph): Set<string> {
  return new Set([...consumers(graph).keys(), ...graph.outputs.map((output) => output.name)]);
}
