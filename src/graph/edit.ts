/**
 * Changes to a graph, gathered and applied at once.
 * A rewrite replaces a node by others, renames the uses of a value, or sets initializers; `apply` sorts, drops what nothing
 * reads any more and verifies the result.
 */
import type { Tensor } from "../tensor/tensor.ts";
import type { Attributes } from "./attributes.ts";
import type { Graph, Node } from "./graph.ts";
import { createNames, type Names } from "./names.ts";
import { removeDead, sortNodes } from "./order.ts";
import { verifyGraph } from "./verify.ts";

/** An edit of one graph in progress. */
export class GraphEdit {
  readonly graph: Graph;
  private readonly names: Names;
  private readonly replaced = new Map<Node, readonly Node[]>();
  private readonly renamed = new Map<string, string>();
  private readonly initializers = new Map<string, Tensor>();
  private readonly added: Node[] = [];

  constructor(graph: Graph) {
    this.graph = graph;
    this.names = createNames(graph);
  }

  /** A value name not yet taken. */
  fresh(hint: string): string {
    return this.names.fresh(hint);
  }

  /** Puts `nodes` in the place of `node`; none removes it. */
  replace(node: Node, ...nodes: readonly Node[]): void {
    this.replaced.set(node, nodes);
  }

  /** The node as the edit has left it so far, undefined where it was removed or became several. */
  current(node: Node): Node | undefined {
    const nodes = this.replaced.get(node);
    return nodes === undefined ? node : nodes.length === 1 ? nodes[0] : undefined;
  }

  /** Adds a node anywhere; `apply` puts it where its inputs are known. */
  add(node: Omit<Node, "name"> & { readonly name?: string }): Node {
    const made = { ...node, name: this.names.freshNode(node.name ?? node.op.toLowerCase()) };
    this.added.push(made);
    return made;
  }

  /** Adds a node with one output, named by `hint`, and returns that output's name. */
  op(op: string, inputs: readonly string[], hint: string, attributes: Attributes = {}, domain = ""): string {
    const output = this.fresh(hint);
    this.add({ op, domain, inputs, outputs: [output], attributes });
    return output;
  }

  /**
   * Lets every reader of `from`, the graph's outputs included, read `to` instead; the node that writes `to` still reads `from`,
   * so that a node can be put in between. A graph output keeps its name.
   * @throws Error `internal: …` where `to` leads back to `from`.
   */
  rename(from: string, to: string): void {
    this.renamed.set(from, to);
    if (this.resolve(to) === undefined) throw new Error(`internal: '${from}' was renamed in a circle`);
  }

  /** What `name` is called in the end, for a node that writes `outputs`; undefined in a circle. */
  private resolve(name: string, outputs: readonly string[] = []): string | undefined {
    let at = name;
    for (let steps = 0; steps <= this.renamed.size; steps++) {
      const next = this.renamed.get(at);
      if (next === undefined || outputs.includes(next)) return at;
      at = next;
    }
    return undefined;
  }

  /** Sets or adds an initializer. */
  setInitializer(name: string, tensor: Tensor): string {
    this.initializers.set(name, tensor);
    return name;
  }

  /** Adds an initializer under a free name. */
  addInitializer(hint: string, tensor: Tensor): string {
    return this.setInitializer(this.fresh(hint), tensor);
  }

  /** The edited graph: sorted, without dead nodes and initializers, verified. */
  apply(): Graph {
    const nodes = [...this.graph.nodes.flatMap((node) => this.replaced.get(node) ?? [node]), ...this.added].map(
      (node) => ({ ...node, inputs: node.inputs.map((input) => this.resolve(input, node.outputs) ?? input) }),
    );
    const { names, copies } = this.keepOutputNames(nodes);
    const swap = (name: string) => names.get(name) ?? name;
    const named = nodes.map((node) => ({ ...node, inputs: node.inputs.map(swap), outputs: node.outputs.map(swap) }));
    const initializers = new Map([...this.graph.initializers, ...this.initializers]);
    return verifyGraph(removeDead({ ...this.graph, nodes: sortNodes([...named, ...copies]), initializers }));
  }

  /**
   * A renamed graph output, or value that a sub-graph reads, keeps its name: whoever writes the new value writes that name instead, and the old value
   * gets another. Where the new value is no node's, or is an output itself, it is copied.
   */
  private keepOutputNames(nodes: readonly Node[]): { names: Map<string, string>; copies: Node[] } {
    const captured = nodes.flatMap((node) => node.captures ?? []);
    const outputs = new Set([...this.graph.outputs.map((output) => output.name), ...captured]);
    const written = new Set(nodes.flatMap((node) => node.outputs));
    const names = new Map<string, string>();
    const copies: Node[] = [];
    for (const name of outputs) {
      const source = this.resolve(name);
      if (source === undefined || source === name) continue;
      if (written.has(name)) names.set(name, this.fresh(`${name}_before`));
      if (written.has(source) && !names.has(source) && !outputs.has(source)) names.set(source, name);
      else {
        const copy = { name: this.names.freshNode(name), op: "Identity", domain: "", attributes: {} };
        copies.push({ ...copy, inputs: [source], outputs: [name] });
      }
    }
    for (const [i, copy] of copies.entries())
      copies[i] = { ...copy, inputs: copy.inputs.map((input) => names.get(input) ?? input) };
    return { names, copies };
  }
}
