/** Writes a graph node by node. Names are made unique; what is built is verified at the end. */
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attributes } from "./attributes.ts";
import type { Dim, Graph, Node, Value, ValueType } from "./graph.ts";
import { createNames, type Names } from "./names.ts";
import { verifyGraph } from "./verify.ts";

/** Names a node may be given; both are made up where left out. */
export interface OpOptions {
  readonly name?: string;
  readonly domain?: string;
  readonly outputs?: readonly string[];
}

/** A graph under construction, empty or started from another. */
export class GraphBuilder {
  readonly inputs: Value[];
  readonly outputs: Value[];
  readonly nodes: Node[];
  readonly initializers: Map<string, Tensor>;
  readonly metadata: Map<string, string>;
  readonly opsets: Map<string, number>;
  readonly name: string;
  protected readonly names: Names;
  /** Names that are kept for outputs still to come. */
  private readonly promised = new Set<string>();
  private readonly extra: Pick<Graph, "extra">;

  constructor(start: string | Graph) {
    const graph = typeof start === "string" ? undefined : start;
    this.name = typeof start === "string" ? start : start.name;
    this.inputs = [...(graph?.inputs ?? [])];
    this.outputs = [...(graph?.outputs ?? [])];
    this.nodes = [...(graph?.nodes ?? [])];
    this.initializers = new Map(graph?.initializers);
    this.metadata = new Map(graph?.metadata);
    this.opsets = new Map(graph?.opsets ?? [["", 17]]);
    this.names = createNames(graph);
    this.extra = graph?.extra === undefined ? {} : { extra: graph.extra };
  }

  /** A name not yet taken, `hint` itself if it is free. */
  fresh(hint: string): string {
    return this.names.fresh(hint);
  }

  /** Keeps names free for nodes that will give them as their `outputs`. */
  promise(names: Iterable<string>): void {
    for (const name of names) {
      if (name === "") continue;
      this.names.take(name);
      this.promised.add(name);
    }
  }

  /** Declares an input to be fed. */
  input(name: string, dtype: DType, shape: readonly Dim[]): string {
    this.names.take(name);
    this.inputs.push({ name, dtype, shape });
    return name;
  }

  /** Adds a constant or parameter. */
  initializer(hint: string, tensor: Tensor): string {
    const name = this.names.fresh(hint);
    this.initializers.set(name, tensor);
    return name;
  }

  /** Adds a node and returns its outputs' names. */
  node(
    op: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: Attributes = {},
    options: OpOptions = {},
  ) {
    const hint = options.name ?? op.toLowerCase();
    const outputs = options.outputs ?? Array.from({ length: outputCount }, (_, i) => (i === 0 ? hint : `${hint}_${i}`));
    const node: Node = {
      name: this.names.freshNode(hint),
      op,
      domain: options.domain ?? "",
      inputs,
      outputs: outputs.map((output) => {
        const isPromised = options.outputs !== undefined && this.promised.delete(output);
        return output === "" || isPromised ? output : this.names.fresh(output);
      }),
      attributes,
    };
    this.nodes.push(node);
    return node.outputs;
  }

  /** Adds a node with one output and returns that output's name. */
  op(op: string, inputs: readonly string[], attributes: Attributes = {}, options: OpOptions = {}): string {
    return this.node(op, inputs, 1, attributes, options)[0]!;
  }

  /** Declares an existing value to be an output. */
  output(name: string, type: ValueType): void {
    this.outputs.push({ name, ...type });
  }

  /** The graph built so far, verified. */
  build(): Graph {
    return verifyGraph({
      name: this.name,
      inputs: [...this.inputs],
      outputs: [...this.outputs],
      nodes: [...this.nodes],
      initializers: new Map(this.initializers),
      metadata: new Map(this.metadata),
      opsets: new Map(this.opsets),
      ...this.extra,
    });
  }
}
