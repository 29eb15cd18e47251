/**
 * Changes to a graph, gathered and applied at once.
 * A rewrite replaces a node by others, renames the uses of a value, or sets initializers; `apply` sorts, drops what nothing
 * reads any more and verifies the result.
 */
import type { Tensor } from "../tensor/tensor.ts";
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

  /** Lets every reader of `from`, the graph's outputs included, read `to` instead. A graph output keeps its name. */
  rename(from: string, to: string): void {
    this.renamed.set(from, to);
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
    const resolve = (name: string) => {
      let at = name;
      for (let next = this.renamed.get(at); next !== undefined; next = this.renamed.get(at)) at = next;
      return at;
    };
    const outputs = new Set(this.graph.outputs.map((output) => output.name));
    const nodes = [...this.graph.nodes.flatMap((node) => this.replaced.get(node) ?? [node]), ...this.added];
    const read = nodes.map((node) => ({ ...node, inputs: node.inputs.map(resolve) }));
    const initializers = new Map([...this.graph.initializers, ...this.initializers]);
    // A renamed graph output keeps its public name: whoever writes the new value writes the output's name instead.
    const publicNames = new Map<string, string>();
    const copies: Node[] = [];
    for (const name of outputs) {
      const source = resolve(name);
      if (source === name) continue;
      const writer = read.find((node) => node.outputs.includes(source));
      if (writer && !publicNames.has(source) && !outputs.has(source)) publicNames.set(source, name);
      else
        copies.push({
          name: this.names.freshNode(name),
          op: "Identity",
          domain: "",
          inputs: [source],
          outputs: [name],
          attributes: {},
        });
    }
    const swap = (name: string) => publicNames.get(name) ?? name;
    const dropped = new Set([...publicNames.values(), ...copies.flatMap((copy) => copy.outputs)]);
    const named = read.map((node) => ({
      ...node,
      inputs: node.inputs.map(swap),
      outputs: node.outputs.map((o) =>
        publicNames.has(o) ? swap(o) : dropped.has(o) ? this.names.fresh(`${o}_unused`) : o,
      ),
    }));
    const edited = { ...this.graph, nodes: sortNodes([...named, ...copies]), initializers };
    return verifyGraph(removeDead(edited));
  }
}
