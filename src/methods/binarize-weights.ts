/**
 * Binary weights: `W ≈ α·B` with B of -1 and 1, least squares giving `B = sign W` and `α = mean |W|` for each output (Rastegari, Ordonez,
 * Redmon, Farhadi 2016, arXiv:1603.05279). With `activations` a layer's input counts by its signs as well: `W * x ≈ (αB * sign x) · K`, K
 * being the mean of |x| over what the window covers, pads included.
 *
 * In the graph B and α are computed from W, with a gradient that goes straight through to W; so does the input's sign to the input, where it
 * is within [-1, 1]: `netpare train` goes on from there. `netpare export` writes the values, and a `.pare` file a bit a weight and α.
 * `sign 0` is 1 for a weight; an input's is 0, as ONNX says, which keeps what a Relu says. Limits: without training, accuracy is all
 * but lost; the first and the last layer stay, and depthwise ones, whose weights are few.
 */
import { z } from "zod";
import { type Attributes, float, int, ints } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { attr, readAttributes } from "../ops/attribute-schema.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { constantsToInitializers, freezeInitializers, runPass } from "../passes/index.ts";
import { tensor } from "../tensor/tensor.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { findLayerWeights, type LayerWeight } from "./_layer-weights.ts";
import { type Application, defineMethod } from "./define-method.ts";

const params = z.object({
  activations: z
    .boolean()
    .default(false)
    .describe("take the signs of these layers' inputs too, times a map of their means (XNOR-Net)"),
  ends: z.boolean().default(false).describe("binarize the first and the last layer too"),
  keep: z
    .array(z.string())
    .default([])
    .describe("layers that stay: names, or regular expressions that match whole names"),
});

export const binarizeWeights = defineMethod({
  name: "binarize-weights",
  summary: "one bit a weight and a scale an output, inputs too where asked",
  paper:
    "Rastegari, Ordonez, Redmon, Farhadi, XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks, 2016, " +
    "arXiv:1603.05279",
  params,
  examples: [
    "resnet32.onnx --data cifar10:DIR --epochs 20 --optimizer adam --lr 0.0005 --out binary.onnx",
    "resnet32.onnx --activations --keep 'conv1|.*shortcut.*' --out xnor.onnx",
  ],
  requires: () => [],
  async apply(original, { activations, ends, keep: names }): Promise<Application> {
    const graph = runPass(constantsToInitializers, runPass(freezeInitializers, original).graph).graph;
    const { weights, skipped } = findLayerWeights(graph, layerMatcher(original, "keep", names));
    const all = findLayerWeights(graph, () => false).weights;
    const facts = inferFacts(graph);
    const edit = new GraphEdit(graph);
    const changes: string[] = [];
    const kept = [...skipped];
    for (const weight of weights) {
      const [layer] = weight.layers as [Node];
      const isEnd = weight.name === all[0]?.name || weight.name === all.at(-1)?.name;
      const reason = !ends && isEnd ? "the first and the last layer stay in float" : refusal(weight, facts);
      if (reason !== undefined) {
        kept.push({ node: layerName(layer), reason });
        continue;
      }
      const signs = addSigns(edit, weight);
      for (const reader of weight.layers) {
        const obstacle = activations ? inputRefusal(reader, graph) : "";
        if (obstacle) kept.push({ node: layerName(reader), reason: `its input stays in float: ${obstacle}` });
        const binary = rowwise(reader, signs);
        if (obstacle === undefined) addInputSigns(edit, reader, binary);
        else edit.replace(reader, binary);
        const what = obstacle === undefined ? "weights and inputs" : "weights";
        changes.push(`${layerName(reader)}: ${weight.tensor.data.length} ${what} by their signs`);
      }
    }
    return { graph: changes.length === 0 ? original : edit.apply(), changes, skipped: kept };
  },
});

const gemmAttributes = { transA: attr.int(0), transB: attr.int(0), beta: attr.float(1) };
const convAttributes = { group: attr.int(1), dilations: attr.ints([]), strides: attr.ints([]), pads: attr.ints([]) };

/** Whether outputs are the columns of the layer's weight. */
const isColumnwise = (node: Node) =>
  node.op === "MatMul" || (node.op === "Gemm" && readAttributes(node, gemmAttributes).transB === 0);

function refusal({ layers, masked, tensor: { shape } }: LayerWeight, facts: Facts): string | undefined {
  if (masked) return "its weight is pruned, and a sign is never 0";
  for (const layer of layers) {
    if (layer.op === "Conv" && shape[1] === 1 && readAttributes(layer, convAttributes).group > 1)
      return "it is depthwise: a bit a weight saves little";
    if (layer.op === "Gemm" && readAttributes(layer, gemmAttributes).transA) return "its input is transposed";
    if (layer.op === "MatMul" && (shape.length !== 2 || facts.get(layer.inputs[0]!)?.shape?.length !== 2))
      return "it multiplies more than rows by a matrix";
  }
  if (layers.some(isColumnwise) && !layers.every(isColumnwise)) return "its layers read its weight in two ways";
  return undefined;
}

/** Why the layer's input cannot count by its signs. */
function inputRefusal(layer: Node, { initializers }: Graph): string | undefined {
  if (layer.inputs[2] && !initializers.has(layer.inputs[2])) return "its bias is computed";
  if (layer.op === "Gemm" && layer.inputs[2] && readAttributes(layer, gemmAttributes).beta !== 1)
    return "its beta is not 1";
  if (layer.op !== "Conv") return undefined;
  const { group, dilations } = readAttributes(layer, convAttributes);
  if (group > 1) return "it has groups, and there is one map of scales";
  if (layer.attributes.auto_pad?.value !== undefined && layer.attributes.auto_pad.value !== "NOTSET")
    return "its pads are automatic, which pools count in other ways";
  return dilations.some((dilation) => dilation > 1) ? "it has dilations, which pools have not" : undefined;
}

/** Adds `α·sign W`, rows being outputs, with W's gradient; returns its name. */
function addSigns(edit: GraphEdit, { name, tensor: stored, layers }: LayerWeight): string {
  const { shape } = stored;
  if (isColumnwise(layers[0]!)) {
    const [count, outputs] = shape as [number, number];
    const rows = stored.data.map((_, i) => stored.data[(i % count) * outputs + Math.floor(i / count)]!);
    edit.setInitializer(name, tensor("float32", [outputs, count], rows));
  }
  const add = adder(edit, name);
  const axes = ints(shape.slice(1).map((_, i) => i + 1));
  const scale = add("ReduceMean", [add("Abs", [name], "size")], "scale", { axes, keepdims: int(1) });
  const zero = add("Constant", [], "zero", { value_float: float(0) });
  const negative = add("Less", [name, zero], "negative");
  const binary = add("Where", [negative, add("Neg", [scale], "minus-scale"), scale], "binary");
  return add("StraightThrough", [name, binary], "weight", {}, "netpare");
}

/** The layer with outputs in the rows of another weight. */
function rowwise(layer: Node, weight: string): Node {
  const node = { ...layer, inputs: layer.inputs.with(1, weight) };
  if (!isColumnwise(layer)) return node;
  return { ...node, op: "Gemm", attributes: { ...layer.attributes, transB: int(1) } };
}

/** Puts the layer on its input's signs, times the map of their scales, and its bias behind. */
function addInputSigns(edit: GraphEdit, layer: Node, binary: Node): void {
  const [input, weight, bias = ""] = binary.inputs as [string, string, string?];
  const output = layer.outputs[0]!;
  const add = adder(edit, output);
  const constant = (value: number, hint: string) => add("Constant", [], hint, { value_float: float(value) });
  const within = add("Clip", [input, constant(-1, "least"), constant(1, "most")], "within");
  const signs = add("StraightThrough", [within, add("Sign", [input], "sign")], "signs", {}, "netpare");
  const isPositive = edit.graph.nodes.some(({ op, outputs }) => op === "Relu" && outputs[0] === input);
  const size = isPositive ? input : add("Abs", [input], "size");
  const mean = add("ReduceMean", [size], "mean", { axes: ints([1]), keepdims: int(1) });
  const raw = edit.fresh(`${output}/raw`);
  const node = { ...binary, inputs: [signs, weight], outputs: [raw] };
  const scaled = { op: "Mul", domain: "", inputs: [raw, addPool(edit, layer, mean)], attributes: {} };
  edit.replace(layer, node);
  if (bias === "") edit.add({ ...scaled, outputs: [output] });
  else {
    const product = edit.op(scaled.op, scaled.inputs, `${output}/scaled`);
    const shift = layer.op === "Conv" ? addShift(edit, bias, rankOf(edit, layer)) : bias;
    edit.add({ op: "Add", domain: "", inputs: [product, shift], outputs: [output], attributes: {} });
  }
}

const rankOf = (edit: GraphEdit, layer: Node) => edit.graph.initializers.get(layer.inputs[1]!)?.shape.length ?? 4;

/** A convolution's bias `(O)` as `(O, 1, 1)`. */
function addShift(edit: GraphEdit, bias: string, rank: number): string {
  const { data } = edit.graph.initializers.get(bias)!;
  const shape = [data.length, ...new Array<number>(rank - 2).fill(1)];
  return edit.addInitializer(`${bias}/map`, tensor("float32", shape, data as Float32Array<ArrayBuffer>));
}

/** The mean of a map over a convolution's window, pads counting as 0. */
function addPool(edit: GraphEdit, layer: Node, map: string): string {
  const weight = edit.graph.initializers.get(layer.inputs[1]!);
  const { strides, pads } = readAttributes(layer, convAttributes);
  const kernel = weight?.shape.slice(2) ?? [];
  if (layer.op !== "Conv" || ([...kernel, ...strides].every((n) => n === 1) && pads.every((n) => n === 0))) return map;
  const { strides: s, pads: p } = layer.attributes;
  const attributes: Attributes = {
    ...(s && { strides: s }),
    ...(p && { pads: p }),
    kernel_shape: ints(kernel),
    count_include_pad: int(1),
  };
  return adder(edit, layer.outputs[0]!)("AveragePool", [map], "map", attributes);
}

/** Adds nodes of one output whose names begin with `prefix`. */
function adder(edit: GraphEdit, prefix: string) {
  return (op: string, inputs: readonly string[], hint: string, attributes: Attributes = {}, domain = "") =>
    edit.op(op, inputs, `${prefix}/${hint}`, attributes, domain);
}
