/**
 * Convolutions in blocks, as onnxruntime itself would write them were their weights constant: the weight `(O, I, k, k)` as
 * `(O/B, I/B, k, k, B, B)`, input channels before output channels; of a first layer, whose few channels stay as they are,
 * `(O/B, I, k, k, B)`. The gradient of a weight is such a first layer.
 */
import { type Attributes, int, ints } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";
import { knownIntegers } from "../ops/fact.ts";
import { sameShape } from "../tensor/shape.ts";
import { type BlockedGraph, blocksDomain, type Plane } from "./_blocked-graph.ts";

/** Whether a node convolves planes of known sizes by taps that are an input; a 1x1 convolution is one product already. */
export function readsTaps(g: BlockedGraph, { op, domain, inputs }: Node): boolean {
  if (op !== "Conv" || domain !== "" || g.graph.initializers.has(inputs[1]!)) return false;
  const weight = g.shape(inputs[1]!);
  if (g.fact(inputs[0]!)?.dtype !== "float32" || g.shape(inputs[0]!) === undefined || weight === undefined)
    return false;
  return weight.length === 4 && weight.slice(2).some((size) => size > 1);
}

/**
 * Takes a convolution of whole blocks of outputs from whole blocks of channels; or, where its result stays in blocks, from fewer
 * channels than one.
 */
export function takeConvolution(g: BlockedGraph, node: Node, stays: boolean): boolean {
  const { block } = g;
  const [image, weight, ...bias] = node.inputs as [string, string];
  const [outputs, channels, rows, columns] = g.shape(weight) as Plane;
  const isFirst = channels < block;
  if (g.shape(image)![1] !== channels || outputs % block !== 0) return false;
  if (isFirst ? !stays : channels % block !== 0) return false;
  const dims = isFirst
    ? [outputs / block, block, channels, rows, columns]
    : [outputs / block, block, channels / block, block, rows, columns];
  const perm = ints(isFirst ? [0, 2, 3, 4, 1] : [0, 2, 4, 5, 3, 1]);
  const turned = g.add("Transpose", [g.reshape(weight, dims)], { perm });
  const kernel = g.reshape(turned, [outputs, channels, rows, columns]);
  const source = isFirst ? image : g.intoBlocks(image);
  g.remove(node);
  g.give(node.outputs[0]!, g.add("Conv", [source, kernel, ...bias], node.attributes, blocksDomain));
  return true;
}

/**
 * Takes the gradient of a weight, as `ops/_conv-gradient.ts` interleaves it: an image `(1, N, H, W·C)` whose channels are samples,
 * each under its own kernels `dY: (N·O, 1, OH, OW)`, then the sum over samples; false where it is none. dY in blocks of channels
 * is such a kernel without another move, and the sum is taken before the result leaves the blocks. onnxruntime wants the
 * samples, which stand for channels, to be fewer than a block or whole blocks.
 */
export function takeSampleSum(g: BlockedGraph, node: Node): boolean {
  const [image, weight] = node.inputs as [string, string];
  const [kernels, perSample, ...taps] = g.shape(weight) as Plane;
  const samples = g.shape(image)![1]!;
  if (samples > g.block && samples % g.block !== 0) return false;
  const sum = sumOverSamples(g, node);
  if (sum === undefined || perSample !== 1 || (kernels / samples) % g.block !== 0) return false;
  const gy = g.intoBlocks(g.viewed(weight, [samples, kernels / samples, ...taps]));
  const { attributes, wide } = writeColumns(g, node.attributes, channelsLast(g, image));
  const product = g.add("Conv", [wide, g.reshape(gy, g.shape(weight)!)], attributes, blocksDomain);
  const [, , rows, columns] = g.shape(node.outputs[0]!) as Plane;
  const [batch, outputs] = g.shape(sum.inputs[0]!) as Plane;
  const total = g.sumFirst(g.reshape(product, [batch, outputs * rows * columns]));
  const blocks = g.reshape(total, [1, outputs, rows, columns]);
  const planes = g.add("ReorderOutput", [blocks], { channels: int(outputs) }, blocksDomain);
  g.remove(sum);
  g.rename(sum.outputs[0]!, g.reshape(planes, g.shape(sum.outputs[0]!)!));
  return true;
}

/** The sum over the first axis that alone reads a node's result, once it is viewed with samples first. */
function sumOverSamples(g: BlockedGraph, node: Node): Node | undefined {
  const view = g.onlyReader(node);
  const sum = view?.op === "Reshape" ? g.onlyReader(view) : undefined;
  if (sum?.op !== "ReduceSum" || g.shape(sum.inputs[0]!) === undefined) return undefined;
  const axes = knownIntegers(g.fact(sum.inputs[1] ?? ""));
  const { keepdims } = sum.attributes;
  return axes?.length === 1 && axes[0] === 0 && keepdims?.kind === "int" && keepdims.value === 0 ? sum : undefined;
}

/** The columns beside the image written out as zeros: the kernels take their slow path for each column off the image. */
function writeColumns(
  g: BlockedGraph,
  { pads, ...attributes }: Attributes,
  image: string,
): { attributes: Attributes; wide: string } {
  const [top = 0, left = 0, bottom = 0, right = 0] = pads?.kind === "ints" ? pads.value : [];
  const beside = g.constant([0, 0, 0, left, 0, 0, 0, right]);
  const wide = left + right === 0 ? image : g.add("Pad", [image, beside]);
  return { attributes: { ...attributes, pads: ints([top, 0, bottom, 0]) }, wide };
}

/** An image `(1, N, H, W·C)` whose channels come last, out of its blocks where it is in them: of one block it is a view. */
function channelsLast(g: BlockedGraph, image: string): string {
  const turn = g.writers.get(g.writers.get(image)?.inputs[0] ?? "");
  const [origin = ""] = turn?.inputs ?? [];
  const blocks = g.known(origin);
  const order = turn?.op === "Transpose" ? turn.attributes.perm : undefined;
  if (order?.kind !== "ints" || !sameShape(order.value, [0, 2, 3, 1]) || blocks === undefined) return image;
  const channels = g.shape(origin)![1]!;
  const last =
    channels === g.block
      ? blocks
      : g.add("ReorderOutput", [blocks], { channels: int(channels), channels_last: int(1) }, blocksDomain);
  return g.reshape(last, g.shape(image)!);
}
