/**
 * The intermediate representation: ONNX's graph as plain readonly data.
 * A value is known by its name. Nodes stand in topological order, and every name is written once.
 * What ONNX holds beyond this (documentation, functions, fields of later versions) rides along as opaque bytes in `extra`.
 */
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attributes } from "./attributes.ts";

/** A dimension: its size, or the name of a size that is not known yet ("?" is one that equals no other). */
export type Dim = number | string;

/** Element type and shape of a value; the shape is undefined where not even the rank is known. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly Dim[] | undefined;
}

/** A named and typed graph input or output. */
export interface Value extends ValueType {
  readonly name: string;
}

/** An application of an operator. An absent optional input or output is the empty name. */
export interface Node {
  readonly name: string;
  readonly op: string;
  /** "" is ONNX's own domain. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** Values of the graph that the node's sub-graphs read beside its inputs, under names that cannot change. */
  readonly captures?: readonly string[];
  readonly extra?: Uint8Array;
}

/** A model. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Key-value pairs stored in the model file. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Operator set version of each domain in use. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly extra?: Uint8Array;
}

/** How a node is called in messages: its operator and its name, or its first output where it has none. */
export function nodeLabel(node: Node): string {
  return `${node.op} '${node.name || node.outputs[0]}'`;
}

/** Every value a node reads, those its sub-graphs read included; "" for an absent input. */
export function readsOf(node: Node): readonly string[] {
  return node.captures === undefined ? node.inputs : [...node.inputs, ...node.captures];
}

/** The node that writes each value. */
export function producers(graph: Graph): Map<string, Node> {
  const map = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output !== "") map.set(output, node);
  return map;
}

/** The nodes that read each value, in order, each once. */
export function consumers(graph: Graph): Map<string, Node[]> {
  const map = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const input of new Set(readsOf(node))) {
      if (input === "") continue;
      const readers = map.get(input);
      if (readers) readers.push(node);
      else map.set(input, [node]);
    }
  return map;
}

/** Graph inputs that must be fed: those without an initializer. */
export function feeds(graph: Graph): Value[] {
  return graph.inputs.filter((input) => !graph.initializers.has(input.name));
}
