/**
 * Convolutions whose weights change from run to run in the layout that onnxruntime's fastest kernels want. onnxruntime lays
 * images out in blocks of B channels, `(N, C/B, H, W, B)`, for convolutions whose weights are constants; in a training step they
 * are inputs. Here such a convolution becomes what onnxruntime itself would make of it: the image reordered, the weight
 * `(O, I, k, k)` as `(O/B, I/B, k, k, B, B)`, input channels before output channels, the kernel, the result reordered back. The
 * gradient of a weight becomes what onnxruntime makes of a first layer: an image out of blocks, a kernel in blocks of outputs.
 * B is the machine's: 16 with AVX-512, 8 with AVX2, none on some. A convolution is 1.1 to 1.5 times faster, reordering
 * included, a weight's gradient 1.1 to 1.4 times (`bench/train.mjs`).
 */
import { type Attributes, int, ints } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, producers } from "../graph/graph.ts";
import { decodeModel, encodeModel } from "../onnx/index.ts";
import { isStatic, knownIntegers, staticShape } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { type Shape, sameShape } from "../tensor/shape.ts";
import { int64s, tensorOf } from "../tensor/tensor.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";

const domain = "com.microsoft.nchwc";

let machineBlock: Promise<number> | undefined;

/** Loads the bytes of a model whose convolutions read their weights as inputs; other models run as they are. */
export async function openBlockedSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  machineBlock ??= probeBlock();
  const block = await machineBlock;
  return openSession(block > 1 ? encodeModel(blockConvolutions(decodeModel(model), block)) : model, options);
}

/** The graph with every convolution that `block` fits in the blocked layout. */
export function blockConvolutions(graph: Graph, block: number): Graph {
  const layout = new BlockedLayout(graph, block);
  for (const node of graph.nodes) if (layout.readsTaps(node)) layout.takeImages(node) || layout.takeSampleSum(node);
  return layout.apply();
}

/** A graph on its way into blocks of channels. */
class BlockedLayout {
  private readonly edit: GraphEdit;
  private readonly facts: Facts;
  private readonly readers: ReadonlyMap<string, readonly Node[]>;
  private readonly writers: ReadonlyMap<string, Node>;
  /** What is in blocks, by its name out of blocks. */
  private readonly inBlocks = new Map<string, string>();

  constructor(
    private readonly graph: Graph,
    private readonly block: number,
  ) {
    this.edit = new GraphEdit(graph);
    this.facts = inferFacts(graph);
    this.readers = consumers(graph);
    this.writers = producers(graph);
  }

  apply(): Graph {
    if (this.inBlocks.size === 0) return this.graph;
    return { ...this.edit.apply(), opsets: new Map([...this.graph.opsets, [domain, 1]]) };
  }

  /** Whether a node convolves planes of known sizes by taps that are an input; a 1x1 convolution is one product already. */
  readsTaps({ op, domain: home, inputs }: Node): boolean {
    if (op !== "Conv" || home !== "" || this.graph.initializers.has(inputs[1]!)) return false;
    const [image, weight] = inputs.map((name) => this.facts.get(name));
    if (image?.dtype !== "float32" || !isStatic(image.shape) || !isStatic(weight?.shape)) return false;
    return weight.shape.length === 4 && weight.shape.slice(2).some((size) => size > 1);
  }

  /** Takes images and a weight of whole blocks; false where they are not. */
  takeImages(node: Node): boolean {
    const { block } = this;
    const [image, weight, ...bias] = node.inputs as [string, string];
    const [outputs, channels, rows, columns] = this.shape(weight) as Plane;
    if (this.shape(image)[1] !== channels || channels % block !== 0 || outputs % block !== 0) return false;
    const split = this.reshape(weight, [outputs / block, block, channels / block, block, rows, columns]);
    const turned = this.add("Transpose", [split], { perm: ints([0, 2, 4, 5, 3, 1]) });
    const kernel = this.reshape(turned, [outputs, channels, rows, columns]);
    const product = this.add("Conv", [this.intoBlocks(image), kernel, ...bias], node.attributes, domain);
    this.edit.replace(node);
    this.edit.rename(node.outputs[0]!, this.add("ReorderOutput", [product], { channels: int(outputs) }, domain));
    return true;
  }

  /**
   * Takes the gradient of a weight, as `ops/_conv-gradient.ts` interleaves it: an image `(1, N, H, W·C)` whose channels are samples,
   * each under its own kernels `dY: (N·O, 1, OH, OW)`, then the sum over samples; false where it is none. dY in blocks of channels
   * is such a kernel without another move, and the sum is taken before the result leaves the blocks. onnxruntime wants the
   * samples, which stand for channels, to be fewer than a block or whole blocks.
   */
  takeSampleSum(node: Node): boolean {
    const [image, weight] = node.inputs as [string, string];
    const [kernels, perSample, ...taps] = this.shape(weight) as Plane;
    const samples = this.shape(image)[1]!;
    if (samples > this.block && samples % this.block !== 0) return false;
    const sum = this.sumOverSamples(node);
    if (sum === undefined || perSample !== 1 || (kernels / samples) % this.block !== 0) return false;
    const gy = this.intoBlocks(this.viewed(weight, [samples, kernels / samples, ...taps]));
    const { attributes, wide } = this.writeColumns(node.attributes, this.channelsLast(image));
    const product = this.add("Conv", [wide, this.reshape(gy, this.shape(weight))], attributes, domain);
    const [, , rows, columns] = this.shape(node.outputs[0]!) as Plane;
    const [batch, outputs] = this.shape(sum.inputs[0]!) as Plane;
    const parts = this.reshape(product, [batch, outputs * rows * columns]);
    const total = this.add("ReduceSum", [parts, this.constant([0])], { keepdims: int(0) });
    const blocks = this.reshape(total, [1, outputs, rows, columns]);
    const planes = this.add("ReorderOutput", [blocks], { channels: int(outputs) }, domain);
    this.edit.replace(sum);
    this.edit.rename(sum.outputs[0]!, this.reshape(planes, this.shape(sum.outputs[0]!)));
    return true;
  }

  /** The sum over the first axis that alone reads a node's result, once it is viewed with samples first. */
  private sumOverSamples(node: Node): Node | undefined {
    const view = this.onlyReader(node);
    const sum = view?.op === "Reshape" ? this.onlyReader(view) : undefined;
    if (sum?.op !== "ReduceSum" || !isStatic(this.facts.get(sum.inputs[0]!)?.shape)) return undefined;
    const axes = knownIntegers(this.facts.get(sum.inputs[1] ?? ""));
    const { keepdims } = sum.attributes;
    return axes?.length === 1 && axes[0] === 0 && keepdims?.kind === "int" && keepdims.value === 0 ? sum : undefined;
  }

  private onlyReader(node: Node): Node | undefined {
    const [output] = node.outputs as [string];
    const readers = this.readers.get(output) ?? [];
    return readers.length === 1 && this.graph.outputs.every(({ name }) => name !== output) ? readers[0] : undefined;
  }

  /** The columns beside the image written out as zeros: the kernels take their slow path for each column off the image. */
  private writeColumns({ pads, ...attributes }: Attributes, image: string): { attributes: Attributes; wide: string } {
    const [top = 0, left = 0, bottom = 0, right = 0] = pads?.kind === "ints" ? pads.value : [];
    const beside = this.constant([0, 0, 0, left, 0, 0, 0, right]);
    const wide = left + right === 0 ? image : this.add("Pad", [image, beside], {});
    return { attributes: { ...attributes, pads: ints([top, 0, bottom, 0]) }, wide };
  }

  /** An image `(1, N, H, W·C)` whose channels come last: a view of its blocks, where it has been in them as one block. */
  private channelsLast(image: string): string {
    const turn = this.writers.get(this.writers.get(image)?.inputs[0] ?? "");
    const [origin = ""] = turn?.inputs ?? [];
    const blocks = this.inBlocks.get(origin);
    const order = turn?.op === "Transpose" ? turn.attributes.perm : undefined;
    const isView = order?.kind === "ints" && sameShape(order.value, [0, 2, 3, 1]) && blocks !== undefined;
    return isView && this.shape(origin)[1] === this.block ? this.reshape(blocks, this.shape(image)) : image;
  }

  private intoBlocks(image: string): string {
    const known = this.inBlocks.get(image);
    if (known !== undefined) return known;
    const blocks = this.add("ReorderInput", [image], {}, domain);
    this.inBlocks.set(image, blocks);
    return blocks;
  }

  /** A value in another shape: that of which it is a view, where this has it. */
  private viewed(name: string, dims: Shape): string {
    const source = this.writers.get(name);
    const origin = source?.op === "Reshape" ? source.inputs[0]! : "";
    const shape = this.facts.get(origin)?.shape;
    return isStatic(shape) && sameShape(shape, dims) ? origin : this.reshape(name, dims);
  }

  private reshape(name: string, dims: Shape): string {
    return this.add("Reshape", [name, this.constant(dims)], {});
  }

  private constant(values: readonly number[]): string {
    return this.edit.addInitializer("constant", int64s(values));
  }

  private add(op: string, inputs: readonly string[], attributes: Attributes, home = ""): string {
    const output = this.edit.fresh(`blocked/${op}`);
    this.edit.add({ name: output, op, domain: home, inputs, outputs: [output], attributes });
    return output;
  }

  private shape(name: string): Shape {
    return staticShape(this.facts.get(name)!);
  }
}

/** Samples or outputs, channels, rows, columns. */
type Plane = [number, number, number, number];

/** The machine's block: how far apart the reordering of `(1, 32, 1, 2)` puts a channel's two pixels; 1 where it knows none. */
async function probeBlock(): Promise<number> {
  const node = { name: "probe", op: "ReorderInput", domain, inputs: ["x"], outputs: ["y"], attributes: {} };
  const value = (name: string) => ({ name, dtype: "float32" as const, shape: [1, 32, 1, 2] });
  const graph: Graph = {
    name: "probe",
    inputs: [value("x")],
    outputs: [value("y")],
    nodes: [node],
    initializers: new Map(),
    metadata: new Map(),
    opsets: new Map([
      ["", 17],
      [domain, 1],
    ]),
  };
  try {
    const session = await openSession(graph);
    const pixels = tensorOf(
      "float32",
      [1, 32, 1, 2],
      Float64Array.from({ length: 64 }, (_, i) => i),
    );
    const y = (await session.run(new Map([["x", pixels]]))).get("y")!;
    await session.release();
    return [...(y.data as Float32Array)].indexOf(1);
  } catch {
    return 1;
  }
}
