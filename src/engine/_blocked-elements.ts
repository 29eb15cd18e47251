/**
 * What stands between convolutions, in blocks: elements by themselves, sums over pixels, pools, scaled channels and batch
 * normalization. A node is taken where one of its images is in blocks already and something reads its result there.
 * Limits: a batch's variance is E[x²] - E[x]², whose relative error is that of float32 times (mean / deviation)².
 */
import { int, ints, string } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";
import { knownIntegers } from "../ops/fact.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { readsTaps } from "./_blocked-convolution.ts";
import { type BlockedGraph, blocksDomain, type Plane } from "./_blocked-graph.ts";

/** Operators to which the order of elements is nothing. */
const elementwise: ReadonlySet<string> = new Set(
  "Abs Add Clip Div Elu Exp HardSigmoid HardSwish Identity LeakyRelu Max Min Mul Neg Relu Sigmoid Sqrt Sub Sum Tanh".split(
    " ",
  ),
);

/** The others that have a form in blocks. */
const others: ReadonlySet<string> = new Set(["AveragePool", "BatchNormalization", "MaxPool", "Resize"]);

/** Images in blocks whose channels are scaled and shifted: `weight · x + bias`. */
interface Scaled {
  readonly x: string;
  readonly channels: number;
  /** `(C, 1, 1, 1)`. */
  readonly weight: string;
  /** `(C)`, "" for none. */
  readonly bias: string;
}

/** Takes nodes in their order. */
export class BlockedElements {
  private readonly scaled = new Map<string, Scaled>();
  private readonly moments = new Map<string, [mean: string, variance: string]>();
  private readonly taken = new Set<Node>();
  private readonly wanted: ReadonlySet<string>;

  constructor(private readonly g: BlockedGraph) {
    this.wanted = wantedInBlocks(g);
  }

  /** Whether a value is best made in blocks. */
  wants(name: string): boolean {
    return this.wanted.has(name);
  }

  /** Takes a node where its images are in blocks, its result is wanted there, and it has a form for it. */
  take(node: Node): boolean {
    if (this.taken.has(node)) return true;
    if (node.domain !== "") return false;
    const x = this.g.known(node.inputs[0] ?? "");
    if (node.op === "ReduceSum") return x !== undefined && this.takeSum(node, x);
    if (!this.wants(node.outputs[0]!)) return false;
    if (node.op === "Mul" && this.takeScale(node)) return true;
    if (elementwise.has(node.op)) return this.takeElements(node);
    if (x === undefined) return false;
    if (node.op === "BatchNormalization") return this.takeNormalization(node, x);
    if (node.op === "MaxPool" || node.op === "AveragePool") return this.takePool(node, x);
    return node.op === "Resize" && this.takeResize(node, x);
  }

  /** Elements by themselves: images of one shape, of which those come along that are not in blocks yet, and single numbers. */
  private takeElements(node: Node): boolean {
    const { g } = this;
    const shape = g.plane(node.outputs[0]!);
    if (shape === undefined) return false;
    const images = node.inputs.filter((name) => name !== "" && !g.isNumber(name));
    if (!images.some((name) => g.known(name)) || !images.every((name) => sameShape(g.shape(name) ?? [], shape)))
      return false;
    const inputs = node.inputs.map((name) => (images.includes(name) ? g.intoBlocks(name) : name));
    if (this.takeAddition(node, inputs)) return true;
    g.remove(node);
    g.give(node.outputs[0]!, g.add(node.op, inputs, node.attributes));
    return true;
  }

  /** A sum with scaled channels that nothing else reads, which takes one pass together with their scaling. */
  private takeAddition(node: Node, blocks: readonly string[]): boolean {
    const { g } = this;
    const { op, inputs } = node;
    const [a, b] = inputs;
    if (op !== "Add" || a === b) return false;
    const mine = inputs.findIndex((name) => this.scaled.has(name) && g.onlyReader(g.writers.get(name)!) !== undefined);
    if (mine < 0 || g.isNumber(inputs[1 - mine]!)) return false;
    this.give(node, this.scaled.get(inputs[mine]!)!, blocks[1 - mine]!);
    return true;
  }

  /** Images times a number a channel, `(C, 1, 1)` or `(1, C, 1, 1)`. */
  private takeScale(node: Node): boolean {
    const { g } = this;
    const shape = g.plane(node.outputs[0]!);
    if (shape === undefined) return false;
    const channels = shape[1];
    for (const [image, factor] of [node.inputs, node.inputs.toReversed()] as [string, string][]) {
      const [x, dims] = [g.known(image), g.shape(factor)];
      if (x === undefined || dims === undefined || !sameShape(g.shape(image)!, shape)) continue;
      if (sizeOf(dims) !== channels || dims.at(-3) !== channels) continue;
      this.give(node, { x, channels, weight: g.reshape(factor, [channels, 1, 1, 1]), bias: "" });
      return true;
    }
    return false;
  }

  /**
   * Batch normalization as scaled channels. In training the batch's statistics are the means of x and x² over pixels, then over
   * samples, and the variance is what the second exceeds the square of the first by.
   */
  private takeNormalization(node: Node, x: string): boolean {
    const { g } = this;
    const [image, scale, bias, ...running] = node.inputs as [string, string, string, string, string];
    const shape = g.plane(image);
    const number = (name: string, fallback: number) => {
      const attribute = node.attributes[name];
      return attribute?.kind === "float" || attribute?.kind === "int" ? attribute.value : fallback;
    };
    const trains = number("training_mode", 0) === 1;
    if (shape === undefined || (trains && number("momentum", 0.9) !== 0)) return false;
    const [mean, variance] = trains ? this.statistics(node, x, shape) : running;
    const deviation = g.add("Sqrt", [g.add("Add", [variance, g.number(number("epsilon", 1e-5))])]);
    const weight = g.add("Div", [scale, deviation]);
    const shift = g.add("Sub", [bias, g.add("Mul", [mean, weight])]);
    this.give(node, { x, channels: shape[1], weight: g.reshape(weight, [shape[1], 1, 1, 1]), bias: shift });
    return true;
  }

  /** Mean and variance of the batch `(C)`, which the node's further outputs are; once for images that are normalized again. */
  private statistics({ outputs }: Node, x: string, shape: Plane): [mean: string, variance: string] {
    const moments = this.moments.get(x) ?? this.momentsOf(x, shape);
    this.moments.set(x, moments);
    moments.forEach((value, i) => {
      if (outputs[i + 1]) this.g.rename(outputs[i + 1]!, value);
    });
    return moments;
  }

  private momentsOf(x: string, [samples, channels]: Plane): [mean: string, variance: string] {
    const { g } = this;
    const meanOf = (blocks: string) => {
      const perSample = g.reshape(g.add("GlobalAveragePool", [blocks], {}, blocksDomain), [samples, channels]);
      return g.add("Mul", [g.sumFirst(perSample), g.number(1 / samples)]);
    };
    const mean = meanOf(x);
    const excess = g.add("Sub", [meanOf(g.add("Mul", [x, x])), g.add("Mul", [mean, mean])]);
    return [mean, g.add("Relu", [excess])];
  }

  /** Lets scaled channels, and what is added to them, stand for a node, and for a Relu that alone reads it. */
  private give(node: Node, scaled: Scaled, sum?: string): void {
    const { g } = this;
    const next = g.onlyReader(node);
    const relu = next?.op === "Relu" && next.domain === "" ? next : undefined;
    const { x, channels, weight, bias } = scaled;
    const inputs = [
      x,
      weight,
      ...(bias === "" && sum === undefined ? [] : [bias]),
      ...(sum === undefined ? [] : [sum]),
    ];
    const one = { kernel_shape: ints([1, 1]), group: int(channels) };
    const attributes = relu === undefined ? one : { ...one, activation: string("Relu") };
    const blocks = g.add("Conv", inputs, attributes, blocksDomain);
    g.remove(node);
    if (relu !== undefined) {
      g.remove(relu);
      this.taken.add(relu);
    } else if (sum === undefined) this.scaled.set(node.outputs[0]!, scaled);
    g.give((relu ?? node).outputs[0]!, blocks);
  }

  /** A sum over pixels: their mean times their number. */
  private takeSum(node: Node, x: string): boolean {
    const { g } = this;
    const shape = g.plane(node.inputs[0]!);
    const axes = knownIntegers(g.fact(node.inputs[1] ?? ""));
    if (shape === undefined || axes === undefined || !sameShape(axes, [2, 3])) return false;
    const means = g.reshape(g.add("GlobalAveragePool", [x], {}, blocksDomain), g.shape(node.outputs[0]!)!);
    g.remove(node);
    g.rename(node.outputs[0]!, g.add("Mul", [means, g.number(shape[2] * shape[3])]));
    return true;
  }

  private takePool(node: Node, x: string): boolean {
    const { g } = this;
    const { ceil_mode, storage_order, auto_pad, ...attributes } = node.attributes;
    const isPlain = [ceil_mode, storage_order].every((flag) => flag === undefined || flag.value === 0);
    if (!isPlain || (auto_pad !== undefined && auto_pad.value !== "NOTSET")) return false;
    if (node.outputs.length > 1 || g.plane(node.outputs[0]!) === undefined) return false;
    g.remove(node);
    g.give(node.outputs[0]!, g.add(node.op, [x], attributes, blocksDomain));
    return true;
  }

  /** Each pixel repeated. */
  private takeResize(node: Node, x: string): boolean {
    const { g } = this;
    const scales = g.fact(node.inputs[2] ?? "")?.constant;
    const factors = scales && [...toNumbers(scales)];
    const says = (name: string, value: string) => node.attributes[name]?.value === value;
    const repeats =
      says("mode", "nearest") && says("coordinate_transformation_mode", "asymmetric") && says("nearest_mode", "floor");
    if (!repeats || g.plane(node.outputs[0]!) === undefined || factors?.length !== 4) return false;
    if (factors[0] !== 1 || factors[1] !== 1 || !factors.every(Number.isInteger)) return false;
    g.remove(node);
    g.give(node.outputs[0]!, g.add("Upsample", [x], { scales: ints(factors), mode: string("nearest") }, blocksDomain));
    return true;
  }
}

/** The results that are best made in blocks: their images can be there, and something reads them there. */
function wantedInBlocks(g: BlockedGraph): ReadonlySet<string> {
  const isImage = (name: string) => g.plane(name) !== undefined && !g.isNumber(name);
  const passes = ({ op, domain }: Node) => domain === "" && (elementwise.has(op) || others.has(op));
  const possible = new Set<string>();
  for (const node of g.graph.nodes)
    if (readsTaps(g, node)) for (const name of [...blockedReads(g, node), node.outputs[0]!]) possible.add(name);
    else if (passes(node) && node.inputs.some((name) => possible.has(name))) possible.add(node.outputs[0]!);
  const wanted = new Set<string>();
  for (const node of g.graph.nodes.toReversed()) {
    const reads = readsTaps(g, node)
      ? blockedReads(g, node)
      : node.op === "ReduceSum" || (passes(node) && wanted.has(node.outputs[0]!))
        ? node.inputs.filter(isImage)
        : [];
    for (const name of reads) if (possible.has(name)) wanted.add(name);
  }
  return wanted;
}

/** What a convolution reads in blocks: its images, or the gradient that it takes for kernels. */
function blockedReads(g: BlockedGraph, { inputs }: Node): string[] {
  const view = g.writers.get(inputs[1]!);
  return [inputs[0]!, view?.op === "Reshape" ? view.inputs[0]! : ""].filter((name) => g.plane(name) !== undefined);
}
