/**
 * Conv, ConvTranspose and Gemm as one thing: `y[o] = b[o] + scale · Σ_c W[…] · x[c]` over input channels `c` on axis 1, with maps
 * from a weight's element to its channels.
 */
import { type Attribute, float } from "../graph/attributes.ts";
import { type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";

/** A linear node with constant weights. */
export interface Linear {
  readonly node: Node;
  readonly weight: Tensor;
  /** `(O)`, zeros where the node has none; a Gemm's β is multiplied in. */
  readonly bias: Float64Array;
  readonly inputs: number;
  /** Output and input channel of a weight element. */
  readonly outputOf: (element: number) => number;
  readonly inputOf: (element: number) => number;
  /** A Gemm's α. */
  readonly scale: number;
  /** Why a constant added to the inputs is not a constant in the outputs, if it is not. */
  readonly uneven: string | undefined;
}

/** The operators that `linearOf` understands. */
export const linearOps: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm"]);

/** A linear node, or why its weights cannot be changed: they are computed, fed, or read by `readers` elsewhere too. */
export function linearOf(graph: Graph, node: Node, readers: ReadonlyMap<string, readonly Node[]>): Linear | string {
  const [, weightName = "", biasName = ""] = node.inputs;
  const constant = (name: string) =>
    graph.inputs.some((input) => input.name === name) ? undefined : graph.initializers.get(name);
  const weight = constant(weightName);
  if (weight === undefined) return `the weight of ${nodeLabel(node)} is no constant`;
  const other = readers.get(weightName)?.find((reader) => reader !== node);
  if (other) return `the weight of ${nodeLabel(node)} is shared with ${nodeLabel(other)}`;
  const given = biasName === "" ? undefined : constant(biasName);
  if (biasName !== "" && given === undefined) return `the bias of ${nodeLabel(node)} is no constant`;
  const maps = node.op === "Gemm" ? gemmMaps(node, weight) : convMaps(node, weight);
  const bias = spreadBias(given, maps.outputs, node.op === "Gemm" ? number(node, "beta", 1) : 1);
  if (bias === undefined) return `the bias of ${nodeLabel(node)} differs from row to row`;
  return { node, weight, bias, scale: node.op === "Gemm" ? number(node, "alpha", 1) : 1, ...maps };
}

/** The node with a new bias, as inputs and attributes; weight and bias are named, not held. */
export function withBias(node: Node, bias: string): Node {
  const [x, w] = node.inputs as readonly [string, string];
  const attributes = node.op === "Gemm" ? { ...node.attributes, beta: float(1) } : node.attributes;
  return { ...node, inputs: [x, w, bias], attributes };
}

function gemmMaps(node: Node, weight: Tensor) {
  const transposed = number(node, "transB", 0) === 1;
  const [rows, columns] = weight.shape as readonly [number, number];
  const row = (element: number) => Math.floor(element / columns);
  const column = (element: number) => element % columns;
  return {
    inputs: transposed ? columns : rows,
    outputs: transposed ? rows : columns,
    outputOf: transposed ? row : column,
    inputOf: transposed ? column : row,
    uneven: number(node, "transA", 0) === 1 ? "its input is transposed" : undefined,
  };
}

function convMaps(node: Node, weight: Tensor) {
  const group = number(node, "group", 1);
  const [first, perGroup, ...kernel] = weight.shape as readonly [number, number, ...number[]];
  const taps = sizeOf(kernel);
  // Conv: (O, I/g, …); ConvTranspose: (I, O/g, …).
  const outer = (element: number) => Math.floor(element / (perGroup * taps));
  const inner = (element: number) =>
    Math.floor((outer(element) * group) / first) * perGroup + (Math.floor(element / taps) % perGroup);
  if (node.op === "Conv")
    return {
      inputs: perGroup * group,
      outputs: first,
      outputOf: outer,
      inputOf: inner,
      uneven: isPadded(node) ? "it is padded" : undefined,
    };
  const uneven = "the borders of a ConvTranspose see fewer weights";
  return { inputs: first, outputs: perGroup * group, outputOf: inner, inputOf: outer, uneven };
}

function isPadded(node: Node): boolean {
  const { auto_pad: auto, pads } = node.attributes;
  if (auto?.kind === "string" && auto.value.startsWith("SAME")) return true;
  return pads?.kind === "ints" && pads.value.some((amount) => amount !== 0);
}

function spreadBias(bias: Tensor | undefined, outputs: number, beta: number): Float64Array | undefined {
  const values = bias ? toNumbers(bias) : Float64Array.of(0);
  if (values.length !== 1 && (values.length !== outputs || bias?.shape.at(-1) !== outputs)) return undefined;
  return Float64Array.from({ length: outputs }, (_, o) => beta * values[values.length === 1 ? 0 : o]!);
}

function number(node: Node, name: string, fallback: number): number {
  const attribute: Attribute | undefined = node.attributes[name];
  return attribute?.kind === "int" || attribute?.kind === "float" ? attribute.value : fallback;
}

/** The weight with each element multiplied by `factor(element)`, rounded to its dtype; a zero stays +0. */
export function scaledWeight(weight: Tensor, factor: (element: number) => number): Tensor {
  return tensorOf(
    weight.dtype,
    weight.shape,
    toNumbers(weight).map((value, element) => value * factor(element) + 0),
  );
}
