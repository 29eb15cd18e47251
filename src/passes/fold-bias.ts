/**
 * An Add of one constant a channel behind a Conv, ConvTranspose, Gemm or MatMul is that node's bias: `b' = b + c`. A MatMul of
 * matrices becomes a Gemm. Refused where other nodes read the value in between, or the weights are no constants.
 */
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, nodeLabel, producers } from "../graph/graph.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { linearOf, linearOps, withBias } from "./_linear.ts";
import type { Pass } from "./pass.ts";

export const foldBias: Pass = {
  name: "fold-bias",
  apply(graph) {
    const changes: string[] = [];
    let folded = graph;
    for (const add of graph.nodes) {
      const next = add.op === "Add" && add.domain === "" ? foldOne(folded, add) : undefined;
      if (next === undefined) continue;
      changes.push(`${nodeLabel(add)} became the bias of ${next.into}`);
      folded = next.graph;
    }
    return { graph: folded, changes, skipped: [] };
  },
};

function foldOne(graph: Graph, { outputs }: Node): { graph: Graph; into: string } | undefined {
  const add = graph.nodes.find((node) => node.outputs[0] === outputs[0]);
  if (add?.op !== "Add") return undefined;
  const readers = consumers(graph);
  const writer = producers(graph);
  const facts = inferFacts(graph);
  for (const [value, constant] of [add.inputs, add.inputs.toReversed()] as [string, string][]) {
    const producer = writer.get(value);
    const fed = graph.inputs.some((input) => input.name === constant);
    const shift = fed ? undefined : graph.initializers.get(constant);
    const alone = readers.get(value)?.length === 1 && !graph.outputs.some((output) => output.name === value);
    if (producer === undefined || producer.domain !== "" || shift === undefined || !alone) continue;
    const linear = producer.op === "MatMul" ? asGemm(producer, facts) : producer;
    if (linear === undefined || !linearOps.has(linear.op)) continue;
    const found = linearOf(
      graph,
      linear,
      new Map([...readers].map(([name, nodes]) => [name, nodes.filter((n) => n !== producer)])),
    );
    if (typeof found === "string" || !isPerChannel(shift, found.bias.length, facts.get(value)?.shape?.length)) continue;
    const added = toNumbers(shift);
    const bias = found.bias.map((b, o) => b + added[added.length === 1 ? 0 : o]!);
    const edit = new GraphEdit(graph);
    const held = edit.addInitializer(linear.inputs[2] || constant, tensorOf(found.weight.dtype, [bias.length], bias));
    edit.replace(producer, { ...withBias(linear, held), outputs: add.outputs });
    edit.replace(add);
    return { graph: edit.apply(), into: nodeLabel(producer) };
  }
  return undefined;
}

/** The Gemm that a product of two matrices is. */
function asGemm(node: Node, facts: Facts): Node | undefined {
  const isMatrix = (name: string) => facts.get(name)?.shape?.length === 2;
  return node.inputs.every(isMatrix) ? { ...node, op: "Gemm", attributes: {} } : undefined;
}

/** Whether `shift` broadcasts along the channels, axis 1 of `rank`, and along nothing else. */
function isPerChannel({ shape }: Tensor, channels: number, rank: number | undefined): boolean {
  if (rank === undefined || shape.length > rank) return false;
  return shape.every((dim, axis) => dim === 1 || (dim === channels && axis === shape.length - rank + 1));
}
