/** What a version rule sees of the graph around its node, and what it may add. */
import type { Attributes } from "../graph/attributes.ts";
import { type Graph, type Node, readsOf, type ValueType } from "../graph/graph.ts";
import { createNames } from "../graph/names.ts";
import type { DType } from "../tensor/dtype.ts";
import { isFloat } from "../tensor/dtype.ts";
import { int64s, type Tensor, tensor, tensorOf, toIntegers } from "../tensor/tensor.ts";
import { constantOf, knownTypes, mostAxes } from "./_known.ts";
import { decodeMessage } from "./_wire.ts";
import { AttributeProtoSchema } from "./onnx_pb.ts";

/** The graph around a node. */
export interface Scope {
  /** The value of an initializer that cannot be fed, or of a Constant node. */
  constant(name: string): Tensor | undefined;
  /** What is known of a value's type. */
  type(name: string): Partial<ValueType>;
  /** The float type of a value; where it is not known, that of the model's parameters. */
  floatType(name: string): DType;
  /** Whether a node or graph output reads the value. */
  isRead(name: string): boolean;
  /** Adds an initializer and returns its name. */
  initializer(hint: string, value: Tensor): string;
  /** A value name not yet taken. */
  fresh(hint: string): string;
}

/** A node's nodes in another version of its operator, or why it has none. */
export type Rule = (node: Node, scope: Scope) => readonly Node[] | string;

/** A change of an operator: `up` leads from the form before version `since` to the one since then, `down` back. */
export interface Change {
  readonly since: number;
  readonly up?: Rule;
  readonly down?: Rule;
}

/** A scope over `graph`; initializers that rules add go into `added`. `types` are those the file states. */
export function createScope(
  graph: Graph,
  types: ReadonlyMap<string, Partial<ValueType>>,
  added: Map<string, Tensor>,
): Scope {
  const names = createNames(graph);
  const feedable = new Set(graph.inputs.map((input) => input.name));
  const constants = new Map<string, Tensor>();
  for (const [name, value] of graph.initializers) if (!feedable.has(name)) constants.set(name, value);
  const read = new Set(graph.outputs.map((output) => output.name));
  for (const node of graph.nodes) {
    for (const input of readsOf(node)) read.add(input);
    const value = constantOf(node);
    if (value !== undefined) constants.set(node.outputs[0]!, value);
  }
  const known = knownTypes(graph, types, (name) => constants.get(name));
  const parameters = [...constants.values()].find(({ dtype }) => isFloat(dtype))?.dtype ?? "float32";
  const type = (name: string) => known.get(name) ?? {};
  return {
    type,
    floatType: (name) => type(name).dtype ?? parameters,
    constant: (name) => constants.get(name) ?? added.get(name),
    isRead: (name) => read.has(name),
    fresh: (hint) => names.fresh(hint),
    initializer(hint, value) {
      const name = names.fresh(hint);
      added.set(name, value);
      return name;
    },
  };
}

/** The integers of an attribute, exactly; undefined where the node does not have it. */
export function integers(node: Node, name: string): bigint[] | undefined {
  const attribute = node.attributes[name];
  if (attribute === undefined) return undefined;
  if (attribute.kind === "ints") return attribute.value.map(BigInt);
  if (attribute.kind === "opaque") return decodeMessage(AttributeProtoSchema, attribute.value, name).ints;
  return undefined;
}

/** The integers of a constant list; undefined where it is not constant, not of integers, or absurdly long. */
export function constantIntegers(scope: Scope, name: string): number[] | undefined {
  const value = scope.constant(name);
  if (value === undefined || (value.dtype !== "int64" && value.dtype !== "int32")) return undefined;
  return value.data.length > 2 * mostAxes ? undefined : toIntegers(value);
}

/** An integer attribute, or `otherwise`. */
export function integer(node: Node, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" ? attribute.value : otherwise;
}

/** A string attribute, or `otherwise`. */
export function text(node: Node, name: string, otherwise: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === "string" ? attribute.value : otherwise;
}

/** A float attribute, undefined where the node does not have it. */
export function float(node: Node, name: string): number | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === "float" ? attribute.value : undefined;
}

/** `attributes` without `names`. */
export function without(attributes: Attributes, ...names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

/** Adds a 1-D int64 initializer. */
export function addIntegers(scope: Scope, hint: string, values: readonly bigint[]): string {
  return scope.initializer(hint, tensor("int64", [values.length], BigInt64Array.from(values)));
}

/** Adds a 1-D int64 initializer of plain numbers. */
export function addNumbers(scope: Scope, hint: string, values: readonly number[]): string {
  return scope.initializer(hint, int64s(values));
}

/** Adds a scalar of `dtype`. */
export function addScalar(scope: Scope, hint: string, dtype: DType, value: number): string {
  return scope.initializer(hint, tensorOf(dtype, [], [value]));
}

/** How what a rule adds to `node` is called. */
export function hint(node: Node, suffix: string): string {
  return `${node.name || node.outputs[0] || node.op.toLowerCase()}_${suffix}`;
}

/** `inputs` with `name` at `index`, absent ones before it empty. */
export function withInput(inputs: readonly string[], index: number, name: string): string[] {
  const all = Array.from({ length: Math.max(inputs.length, index + 1) }, (_, i) => inputs[i] ?? "");
  all[index] = name;
  return all;
}

/** `inputs` without empty names at the end. */
export function trimmed(inputs: readonly string[]): string[] {
  const last = inputs.findLastIndex((input) => input !== "");
  return inputs.slice(0, last + 1);
}
