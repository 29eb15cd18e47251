/**
 * A graph on its way into blocks of channels: which of its values are in blocks `(N, C/B, H, W, B)`, and the steps by which rewrites
 * put others there. A value in blocks goes under the shape `(N, C, H, W)`, as onnxruntime has it. It is reordered where a node
 * that stays as it is reads it; what nothing reads in the end is dropped.
 */
import { type Attributes, int } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, producers } from "../graph/graph.ts";
import { isStatic } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import { int64s, tensorOf } from "../tensor/tensor.ts";

/** The domain of onnxruntime's operators on blocks. */
export const blocksDomain = "com.microsoft.nchwc";

/** Samples or outputs, channels, rows, columns. */
export type Plane = [number, number, number, number];

export class BlockedGraph {
  readonly writers: ReadonlyMap<string, Node>;
  private readonly edit: GraphEdit;
  private readonly facts: Facts;
  private readonly readers: ReadonlyMap<string, readonly Node[]>;
  /** Values in blocks by their names out of blocks. */
  private readonly blocks = new Map<string, string>();

  constructor(
    readonly graph: Graph,
    readonly block: number,
  ) {
    this.edit = new GraphEdit(graph);
    this.facts = inferFacts(graph);
    this.readers = consumers(graph);
    this.writers = producers(graph);
  }

  /** The rewritten graph; the graph itself where nothing was put into blocks. */
  apply(): Graph {
    if (this.blocks.size === 0) return this.graph;
    return { ...this.edit.apply(), opsets: new Map([...this.graph.opsets, [blocksDomain, 1]]) };
  }

  /** The shape of one of the graph's own values; undefined where it is dynamic. */
  shape(name: string): Shape | undefined {
    const shape = this.facts.get(name)?.shape;
    return isStatic(shape) ? shape : undefined;
  }

  /** What is known of one of the graph's own values. */
  fact(name: string) {
    return this.facts.get(name);
  }

  /** The shape of images of float32 whose channels are whole blocks; undefined for other values. */
  plane(name: string): Plane | undefined {
    const shape = this.facts.get(name)?.dtype === "float32" ? this.shape(name) : undefined;
    return shape?.length === 4 && shape[1]! % this.block === 0 ? ([...shape] as Plane) : undefined;
  }

  /** The only node that reads the first output of `node`, where it is no output of the graph. */
  onlyReader(node: Node): Node | undefined {
    const output = node.outputs[0]!;
    const readers = this.readers.get(output) ?? [];
    return readers.length === 1 && this.graph.outputs.every(({ name }) => name !== output) ? readers[0] : undefined;
  }

  /** A value's name in blocks, where it is there. */
  known(name: string): string | undefined {
    return this.blocks.get(name);
  }

  /** A value's name in blocks, where it is put if it is not. */
  intoBlocks(name: string): string {
    const known = this.blocks.get(name);
    if (known !== undefined) return known;
    const blocks = this.add("ReorderInput", [name], {}, blocksDomain);
    this.blocks.set(name, blocks);
    return blocks;
  }

  /** Lets `blocks` stand for a value of the graph. */
  give(name: string, blocks: string): void {
    this.blocks.set(name, blocks);
    const channels = int(this.shape(name)![1]!);
    this.edit.rename(name, this.add("ReorderOutput", [blocks], { channels }, blocksDomain));
  }

  /** Lets a value out of blocks stand for one of the graph. */
  rename(name: string, value: string): void {
    this.edit.rename(name, value);
  }

  /** Takes a node out. */
  remove(node: Node): void {
    this.edit.replace(node);
  }

  /** A value in another shape: that of which it is a view, where this has it. */
  viewed(name: string, dims: Shape): string {
    const source = this.writers.get(name);
    const origin = source?.op === "Reshape" ? source.inputs[0]! : "";
    const shape = this.shape(origin);
    return shape !== undefined && sameShape(shape, dims) ? origin : this.reshape(name, dims);
  }

  reshape(name: string, dims: Shape): string {
    return this.add("Reshape", [name, this.constant(dims)]);
  }

  /** A constant of one number. */
  number(value: number): string {
    return this.edit.addInitializer("number", tensorOf("float32", [], [value]));
  }

  constant(values: readonly number[]): string {
    return this.edit.addInitializer("constant", int64s(values));
  }

  /** The sum over the first axis, which goes. */
  sumFirst(name: string): string {
    return this.add("ReduceSum", [name, this.constant([0])], { keepdims: int(0) });
  }

  add(op: string, inputs: readonly string[], attributes: Attributes = {}, home = ""): string {
    return this.edit.op(op, inputs, `blocked/${op}`, attributes, home);
  }

  /** Whether a value is one number. */
  isNumber(name: string): boolean {
    const shape = this.shape(name);
    return shape !== undefined && sizeOf(shape) === 1;
  }
}
