/** The weights of Conv, Gemm and MatMul as methods that change single weights see them, plain or under a mask. */
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, nodeLabel, producers } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { layerName } from "./_layer-names.ts";
import { addMasked, findMask } from "./_masks.ts";

/** A stored weight and the layers that read it. */
export interface LayerWeight {
  /** The initializer. */
  readonly name: string;
  /** As it is stored; under a regrowing mask what is not above the threshold counts as zero. */
  readonly tensor: Tensor<"float32">;
  /** More than one where layers share it. */
  readonly layers: readonly Node[];
  /** What the layers read: the initializer, or its product with its mask. */
  readonly read: string;
  readonly masked: boolean;
  /** The threshold of a regrowing mask, and the initializer that holds it. */
  readonly regrowing?: { readonly initializer: string; readonly threshold: number };
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
    const masking = findMask(read, writers)?.nodes ?? [];
    const others = typeof weight === "string" ? [] : otherReaders(weight.name, read, readers, [...layers, ...masking]);
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

type Stored = Pick<LayerWeight, "name" | "tensor" | "masked" | "regrowing">;

/** A layer's stored weight, why it has none of the kind, or undefined where its second operand is computed from the images. */
function weightOf(graph: Graph, read: string, writers: ReadonlyMap<string, Node>): Stored | string | undefined {
  const writer = writers.get(read);
  const mask = findMask(read, writers);
  const name = mask?.name ?? read;
  const tensor = graph.initializers.get(name);
  if (tensor === undefined || graph.inputs.some((input) => input.name === name)) {
    if (writer === undefined) return undefined;
    if (writer.op === "Gather") return "its weight is a codebook already";
    return writer.inputs.some((input) => graph.initializers.has(input))
      ? `its weight is computed by ${nodeLabel(writer)}`
      : undefined;
  }
  if (tensor.dtype !== "float32") return `its weight is ${tensor.dtype}, and float32 is expected`;
  const stored = { name, tensor: tensor as Tensor<"float32">, masked: mask !== undefined };
  if (mask?.threshold === undefined) return stored;
  const threshold = graph.initializers.get(mask.threshold);
  if (threshold === undefined) return `its weight is computed by ${nodeLabel(writer!)}`;
  return { ...stored, regrowing: { initializer: mask.threshold, threshold: Number(threshold.data[0]) } };
}

/** Nodes that read a weight beside its layers and its mask. */
function otherReaders(
  name: string,
  read: string,
  readers: ReadonlyMap<string, readonly Node[]>,
  own: readonly Node[],
): Node[] {
  const all = [name, read].flatMap((value) => readers.get(value) ?? []);
  return all.filter((node) => !own.includes(node));
}

function checkFinite(node: Node, weight: Stored): Stored {
  const wrong = weight.tensor.data.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return weight;
  throw new NetpareError(
    "bad-model",
    `${nodeLabel(node)}: element ${wrong} of its weight '${weight.name}' is ${weight.tensor.data[wrong]}, where a finite number is expected; train the model again, or keep this layer`,
  );
}

/** Lets layers read another value for their weight, or at another position. */
export function readInstead(edit: GraphEdit, layers: readonly Node[], value: string, position = 1): void {
  for (const layer of layers) {
    const current = edit.current(layer) ?? layer;
    edit.replace(layer, { ...current, inputs: current.inputs.with(position, value) });
  }
}

/** The graph in which what regrowing masks make zero is zero for good, but for layers that `keep` names. */
export function settleRegrowth(graph: Graph, keep: (node: Node) => boolean): Graph {
  const growing = findLayerWeights(graph, keep).weights.filter(({ regrowing }) => regrowing !== undefined);
  if (growing.length === 0) return graph;
  const edit = new GraphEdit(graph);
  for (const weight of growing) {
    const { name, layers, tensor: stored, regrowing } = weight;
    const left = stored.data.map((value) => (Math.abs(value) > regrowing!.threshold ? value : 0));
    edit.setInitializer(name, tensor("float32", stored.shape, left));
    readInstead(edit, layers, addMasked(edit, name));
  }
  return edit.apply();
}
