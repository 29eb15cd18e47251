/**
 * A layer with weights as quantization sees it: a weight with one axis of output channels, and a bias along it.
 * A BatchNormalization that could not be folded counts as a depthwise 1x1 convolution: one weight a channel, which 8 bits
 * with a scale a channel hold exactly.
 */
import { type Attributes, int, ints } from "../graph/attributes.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { attr, readAttributes } from "../ops/attribute-schema.ts";
import type { Facts } from "../ops/infer.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";

export interface Layer {
  readonly node: Node;
  /** What is written: the node's own operator, or Conv for a normalization. */
  readonly op: string;
  readonly attributes: Attributes;
  readonly weightName: string;
  readonly weight: Tensor;
  /** The weight's axis of output channels. */
  readonly axis: number;
  readonly biasName: string;
  /** `(O)`, undefined where the layer has none. */
  readonly bias: Tensor | undefined;
  /** Whether there is a kernel that writes floats. */
  readonly mayWriteFloat: boolean;
  /** Whether it runs on integers only where they come in and go out anyway. */
  readonly onlyAmongIntegers: boolean;
}

/** Why a layer with weights stays in float. */
export interface Refusal {
  readonly reason: string;
}

const gemmAttributes = { alpha: attr.float(1), beta: attr.float(1), transA: attr.int(0), transB: attr.int(0) };
const normalizationAttributes = { epsilon: attr.float(1e-5), training_mode: attr.int(0) };

/** The layer that `node` is, a refusal where it has weights that cannot be quantized, undefined where it has none. */
export function layerOf(graph: Graph, facts: Facts, node: Node): Layer | Refusal | undefined {
  if (node.domain !== "") return undefined;
  switch (node.op) {
    case "Conv":
      return weighted(graph, facts, node, 0, false);
    case "Gemm":
      return gemm(graph, facts, node);
    case "MatMul":
      return facts.get(node.inputs[1]!)?.shape?.length === 2 && graph.initializers.has(node.inputs[1]!)
        ? weighted(graph, facts, node, 1, true)
        : undefined;
    case "BatchNormalization":
      return normalization(graph, facts, node);
    case "ConvTranspose":
      return { reason: "onnxruntime has no integer kernel for ConvTranspose" };
    default:
      return undefined;
  }
}

function weighted(graph: Graph, facts: Facts, node: Node, axis: number, mayWriteFloat: boolean): Layer | Refusal {
  const [input, weightName = "", biasName = ""] = node.inputs;
  const weight = graph.initializers.get(weightName);
  const bias = graph.initializers.get(biasName);
  if (weight === undefined) return { reason: "its weight is not a constant" };
  if (biasName !== "" && bias === undefined) return { reason: "its bias is not a constant" };
  if (weight.dtype !== "float32" || facts.get(input!)?.dtype !== "float32")
    return { reason: `it computes in ${weight.dtype}, and float32 is expected` };
  return {
    node,
    op: node.op,
    attributes: node.attributes,
    weightName,
    weight,
    axis,
    biasName,
    bias: bias && tensorOf("float32", [weight.shape[axis]!], spreadTo(bias, weight.shape[axis]!)),
    mayWriteFloat,
    onlyAmongIntegers: false,
  };
}

function gemm(graph: Graph, facts: Facts, node: Node): Layer | Refusal {
  const a = readAttributes(node, gemmAttributes);
  if (a.transA !== 0) return { reason: "its input is transposed" };
  if (a.alpha !== 1 || (a.beta !== 1 && node.inputs[2])) return { reason: "its alpha or beta is not 1" };
  const bias = graph.initializers.get(node.inputs[2] ?? "");
  if (bias?.shape.slice(0, -1).some((dim) => dim !== 1)) return { reason: "its bias differs between rows" };
  return weighted(graph, facts, node, a.transB ? 0 : 1, true);
}

function normalization(graph: Graph, facts: Facts, node: Node): Layer | undefined {
  const a = readAttributes(node, normalizationAttributes);
  const vectors = node.inputs.slice(1).map((name) => graph.initializers.get(name));
  const rank = facts.get(node.inputs[0]!)?.shape?.length;
  if (rank !== 4 || a.training_mode !== 0 || !vectors.every((t) => t?.dtype === "float32")) return undefined;
  const [gamma, beta, mean, variance] = vectors.map((t) => toNumbers(t!)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const channels = gamma.length;
  const slope = gamma.map((g, c) => g / Math.sqrt(variance[c]! + a.epsilon));
  return {
    node,
    op: "Conv",
    attributes: { group: int(channels), kernel_shape: ints([1, 1]) },
    weightName: node.inputs[1]!,
    weight: tensorOf("float32", [channels, 1, 1, 1], slope),
    axis: 0,
    biasName: node.inputs[2]!,
    bias: tensorOf(
      "float32",
      [channels],
      slope.map((s, c) => beta[c]! - s * mean[c]!),
    ),
    mayWriteFloat: false,
    onlyAmongIntegers: true,
  };
}

/** A vector of `size` from a bias of any shape that broadcasts to it. */
function spreadTo(bias: Tensor, size: number): Float64Array {
  const values = toNumbers(bias);
  return Float64Array.from({ length: size }, (_, i) => values[values.length === 1 ? 0 : i]!);
}
