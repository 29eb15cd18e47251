/**
 * The weights of Conv, Gemm and MatMul as methods that change single weights see them. A pruned weight stands in the graph as
 * `w · |sign w|`: the second factor is 1 where a weight is left and 0 where it is not, and so is a weight's gradient, so that whatever
 * trains the graph leaves zeros at zero. It needs no tensor of its own, that could be trained or grow the file.
 */
import type { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, nodeLabel, producers } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { layerName } from "./_layer-names.ts";

/** A stored weight and the layers that read it. */
export interface LayerWeight {
  /** The initializer. */
  readonly name: string;
  readonly tensor: Tensor<"float32">;
  /** More than one where layers share it. */
  readonly layers: readonly Node[];
  /** What the layers read: the initializer, or its product with its mask. */
  readonly read: string;
  readonly masked: boolean;
}

/** The weights of a graph, and the layers whose weights are of another kind. */
export interface LayerWeights {
  readonly weights: readonly LayerWeight[];
  readonly skipped: readonly { readonly node: string; readonly reason: string }[];
}

const layerOps: ReadonlySet<string> = new Set(["Conv", "Gemm", "MatMul"]);

/**
 * The float32 weights of the layers that `keep` does not name.
 * @throws NetpareError `bad-model` where a weight is not finite.
 */
export function findLayerWeights(graph: Graph, keep: (node: Node) => boolean): LayerWeights {
  const writers = producers(graph);
  const readers = consumers(graph);
  const found = new Map<string, LayerWeight>();
  const skipped: { node: string; reason: string }[] = [];
  for (const node of graph.nodes) {
    const read = node.inputs[1] ?? "";
    if (!layerOps.has(node.op) || node.domain !== "" || keep(node)) continue;
    const weight = weightOf(graph, read, writers);
    if (weight === undefined) continue;
    const known = typeof weight === "string" ? undefined : found.get(weight.name);
    if (known !== undefined) continue;
    const layers = (readers.get(read) ?? []).filter(({ op, inputs }) => layerOps.has(op) && inputs[1] === read);
    const others = typeof weight === "string" ? [] : otherReaders(weight, read, readers, layers);
    const kept = layers.find(keep);
    const reason =
      typeof weight === "string"
        ? weight
        : others[0] !== undefined
          ? `${nodeLabel(others[0])} reads its weight too`
          : kept !== undefined && `it shares its weight with ${layerName(kept)}, which is kept`;
    if (reason) skipped.push({ node: nodeLabel(node), reason });
    else if (typeof weight !== "string") found.set(weight.name, { ...checkFinite(node, weight), layers, read });
  }
  return { weights: [...found.values()], skipped };
}

type Stored = Pick<LayerWeight, "name" | "tensor" | "masked">;

/** A layer's stored weight, why it has none of the kind, or undefined where its second operand is computed from the images. */
function weightOf(graph: Graph, read: string, writers: ReadonlyMap<string, Node>): Stored | string | undefined {
  const writer = writers.get(read);
  const masked = writer?.op === "Mul" && isMaskOf(writer.inputs[1]!, writer.inputs[0]!, writers);
  const name = masked ? writer.inputs[0]! : read;
  const tensor = graph.initializers.get(name);
  if (tensor === undefined || graph.inputs.some((input) => input.name === name)) {
    if (writer === undefined) return undefined;
    if (writer.op === "Gather") return "its weight is a codebook already";
    return writer.inputs.some((input) => graph.initializers.has(input))
      ? `its weight is computed by ${nodeLabel(writer)}`
      : undefined;
  }
  if (tensor.dtype !== "float32") return `its weight is ${tensor.dtype}, and float32 is expected`;
  return { name, tensor: tensor as Tensor<"float32">, masked };
}

function isMaskOf(mask: string, value: string, writers: ReadonlyMap<string, Node>): boolean {
  const [abs, sign] = [writers.get(mask), writers.get(writers.get(mask)?.inputs[0] ?? "")];
  return abs?.op === "Abs" && sign?.op === "Sign" && sign.inputs[0] === value;
}

/** Nodes that read a weight beside its layers and its mask. */
function otherReaders(
  { name, masked }: Stored,
  read: string,
  readers: ReadonlyMap<string, readonly Node[]>,
  layers: readonly Node[],
): Node[] {
  const all = (value: string) => readers.get(value) ?? [];
  const own = new Set(layers);
  if (masked) for (const node of all(name)) if (node.op === "Sign" || node.outputs[0] === read) own.add(node);
  return [...all(name), ...all(read)].filter((node) => !own.has(node));
}

function checkFinite(node: Node, weight: Stored): Stored {
  const wrong = weight.tensor.data.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return weight;
  throw new NetpareError(
    "bad-model",
    `${nodeLabel(node)}: element ${wrong} of its weight '${weight.name}' is ${weight.tensor.data[wrong]}, where a finite number is expected; train the model again, or keep this layer`,
  );
}

/** Adds `value · |sign value|`, whose zeros no training moves; returns its name. */
export function addMasked(edit: GraphEdit, value: string): string {
  const node = (op: string, inputs: readonly string[], hint: string) => edit.op(op, inputs, `${value}/${hint}`);
  return node("Mul", [value, node("Abs", [node("Sign", [value], "sign")], "mask")], "masked");
}

/** Lets layers read another value for their weight, or at another position. */
export function readInstead(edit: GraphEdit, layers: readonly Node[], value: string, position = 1): void {
  for (const layer of layers) {
    const current = edit.current(layer) ?? layer;
    edit.replace(layer, { ...current, inputs: current.inputs.with(position, value) });
  }
}
