/**
 * A BatchNormalization is `y = s·x + t` per channel with `s = γ/√(v + ε)`, `t = β − s·μ`, and goes into the linear node beside it.
 * Behind a Conv, ConvTranspose or Gemm: `W' = s·W` over output channels, `b' = s·b + t`.
 * Before a Conv or Gemm: `W' = W·s` over input channels, `b' = b + Σ W·t`. Padding would have to be `t` then and is 0, so
 * that a padded Conv, and a ConvTranspose, whose borders see fewer weights, are refused unless all `t` are 0.
 * Refused too where other nodes read the value in between or the weights, or these are no constants.
 */
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, nodeLabel, producers } from "../graph/graph.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { type Linear, linearOf, linearOps, scaledWeight, withBias } from "./_linear.ts";
import type { Pass, Skipped } from "./pass.ts";

export const foldBatchnorm: Pass = {
  name: "fold-batchnorm",
  apply(graph) {
    const changes: string[] = [];
    const skipped: Skipped[] = [];
    let folded = graph;
    for (const { op, domain, outputs } of graph.nodes) {
      if (op !== "BatchNormalization" || domain !== "") continue;
      const node = folded.nodes.find((candidate) => candidate.outputs[0] === outputs[0]);
      // A fold may have given the output's name to the linear node.
      if (node?.op !== "BatchNormalization") continue;
      const result = foldOne(folded, node);
      if (typeof result === "string") skipped.push({ node: nodeLabel(node), reason: result });
      else {
        changes.push(`${nodeLabel(node)} was folded into ${result.into}`);
        folded = result.graph;
      }
    }
    return { graph: folded, changes, skipped };
  },
};

/** `y = scale·x + shift` per channel. */
interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

function foldOne(graph: Graph, node: Node): { graph: Graph; into: string } | string {
  const readers = consumers(graph);
  const affine = affineOf(graph, node, readers);
  if (typeof affine === "string") return affine;
  const before = producers(graph).get(node.inputs[0]!);
  const after = readers.get(node.outputs[0]!)?.find((reader) => linearOps.has(reader.op) && reader.domain === "");
  const reasons: string[] = [];
  for (const [linear, between, fold] of [
    [before, node.inputs[0]!, foldBehind],
    [after, node.outputs[0]!, foldAhead],
  ] as const) {
    if (linear === undefined || linear.domain !== "" || !linearOps.has(linear.op)) continue;
    const other = otherReader(graph, between, linear === before ? node : linear, readers);
    const found = other ?? linearOf(graph, linear, readers);
    const result = typeof found === "string" ? found : fold(graph, node, affine, found, readers);
    if (typeof result !== "string") return { graph: result, into: nodeLabel(linear) };
    reasons.push(result);
  }
  return reasons.length > 0 ? reasons.join("; ") : "no Conv, ConvTranspose or Gemm stands beside it";
}

/** A reason where something besides `reader` reads a value. */
function otherReader(
  graph: Graph,
  value: string,
  reader: Node,
  readers: ReadonlyMap<string, readonly Node[]>,
): string | undefined {
  if (graph.outputs.some((output) => output.name === value)) return `'${value}' is an output of the graph`;
  const other = readers.get(value)?.find((node) => node !== reader);
  if (other !== undefined) return `${nodeLabel(other)} reads '${value}' too`;
  return reader.inputs.slice(1).includes(value) ? `${nodeLabel(reader)} reads '${value}' twice` : undefined;
}

function affineOf(graph: Graph, node: Node, readers: ReadonlyMap<string, readonly Node[]>): Affine | string {
  const { training_mode: mode, epsilon } = node.attributes;
  if (mode?.kind === "int" && mode.value !== 0) return "it is in training mode; disable training first";
  if (node.outputs.slice(1).some((output) => readers.has(output))) return "its statistics are read";
  const fed = new Set(graph.inputs.map((input) => input.name));
  const vectors = node.inputs.slice(1).map((name) => (fed.has(name) ? undefined : graph.initializers.get(name)));
  if (!vectors.every((vector) => vector !== undefined)) return "its parameters are no constants";
  const [gamma, beta, mean, variance] = vectors.map(toNumbers) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const eps = epsilon?.kind === "float" ? epsilon.value : 1e-5;
  // A number of the weights' own precision keeps rows that are multiples of a power of two multiples of one number.
  const scale = gamma.map((g, c) => Math.fround(g / Math.sqrt(variance[c]! + eps)));
  return { scale, shift: beta.map((b, c) => b - scale[c]! * mean[c]!) };
}

type Readers = ReadonlyMap<string, readonly Node[]>;

function foldBehind(graph: Graph, node: Node, { scale, shift }: Affine, linear: Linear, readers: Readers): Graph {
  const bias = linear.bias.map((b, o) => b * scale[o]! + shift[o]!);
  const factor = (element: number) => scale[linear.outputOf(element)]!;
  const folded = { ...linear.node, outputs: [node.outputs[0]!] };
  return rewrite(graph, node, linear, folded, factor, bias, readers);
}

function foldAhead(
  graph: Graph,
  node: Node,
  { scale, shift }: Affine,
  linear: Linear,
  readers: Readers,
): Graph | string {
  if (linear.uneven !== undefined && shift.some((t) => t !== 0))
    return `it stands before ${nodeLabel(linear.node)}, and ${linear.uneven}`;
  if (linear.inputs !== scale.length) return `${nodeLabel(linear.node)} does not read its channels one by one`;
  const bias = linear.bias.slice();
  toNumbers(linear.weight).forEach((value, element) => {
    bias[linear.outputOf(element)]! += linear.scale * value * shift[linear.inputOf(element)]!;
  });
  const factor = (element: number) => scale[linear.inputOf(element)]!;
  const folded = { ...linear.node, inputs: linear.node.inputs.with(0, node.inputs[0]!) };
  return rewrite(graph, node, linear, folded, factor, bias, readers);
}

function rewrite(
  graph: Graph,
  node: Node,
  linear: Linear,
  folded: Node,
  factor: (element: number) => number,
  bias: Float64Array,
  readers: Readers,
): Graph {
  const edit = new GraphEdit(graph);
  edit.setInitializer(linear.node.inputs[1]!, scaledWeight(linear.weight, factor));
  const held = linear.node.inputs[2] ?? "";
  const own = held !== "" && readers.get(held)?.length === 1 && held !== linear.node.inputs[1];
  const vector = tensorOf(linear.weight.dtype, [bias.length], bias);
  const name = own
    ? edit.setInitializer(held, vector)
    : edit.addInitializer(`${linear.node.name || linear.node.outputs[0]}/bias`, vector);
  edit.replace(linear.node, withBias(folded, name));
  edit.replace(node);
  return edit.apply();
}
