/** A graph as the plain data that a `.pare` file holds: values by number, names gone but for inputs and outputs. */
import type { Attribute, Attributes } from "../graph/attributes.ts";
import { type Dim, type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Tensor, toIntegers } from "../tensor/tensor.ts";
import { attributeKinds, frequencyLimit, type Hash, type Port, type Program, type ProgramDim } from "./program.ts";

/** A program whose constants are not coded yet. */
export type PlainProgram = Program<Tensor | HashedTensor>;

/** A constant that a hash makes of `values: (K)`. */
export interface HashedTensor extends Hash {
  readonly shape: readonly number[];
  readonly values: Tensor<"float32">;
}

/**
 * Numbers a graph's values: inputs, constants, then what nodes write.
 * @throws NetpareError `unsupported` where a shape cannot be known from the batch alone, or a node holds a graph.
 */
export function programOf(graph: Graph): PlainProgram {
  const numbers = new Map<string, number>();
  const { constants, nodes } = constantsOf(graph);
  const names = [
    ...graph.inputs.map(({ name }) => name).filter((name) => !graph.initializers.has(name)),
    ...constants.keys(),
    ...nodes.flatMap((node) => node.outputs).filter((name) => name !== ""),
  ];
  for (const name of names) numbers.set(name, numbers.size);
  const port = ({ name }: { name: string }): Port => ({ name, value: numbers.get(name)! });
  const [one, two] = [inferFacts(graph, { batch: 1 }), inferFacts(graph, { batch: 2 })];
  return {
    metadata: graph.metadata,
    opset: graph.opsets.get("") ?? 17,
    values: names.map((name) => ({ dtype: one.get(name)!.dtype, dims: dimsOf(name, one, two) })),
    inputs: graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(port),
    outputs: graph.outputs.map(port),
    nodes: nodes.map((node) => ({
      op: node.op,
      domain: node.domain,
      inputs: node.inputs.map((name) => numbers.get(name) ?? -1),
      outputs: node.outputs.map((name) => numbers.get(name) ?? -1),
      attributes: plainAttributes(node),
    })),
    tensors: new Map([...constants].map(([name, constant]) => [numbers.get(name)!, constant])),
  };
}

/** A graph's constants, hashed weights among them, and the nodes that are left. */
function constantsOf(graph: Graph) {
  const constants = new Map<string, Tensor | HashedTensor>(graph.initializers);
  const made = new Set<Node>();
  const isOutput = new Set(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    const hashed = hashedBy(node, constants);
    if (hashed === undefined || isOutput.has(node.outputs[0]!)) continue;
    made.add(node);
    constants.set(node.outputs[0]!, hashed);
  }
  const nodes = graph.nodes.filter((node) => !made.has(node));
  const read = new Set([...isOutput, ...nodes.flatMap(({ inputs }) => inputs)]);
  for (const node of made)
    for (const name of [...node.inputs, ...node.outputs]) if (!read.has(name)) constants.delete(name);
  return { constants, nodes };
}

/** What a node makes of constants by a hash; undefined where it is no such node, or too large for a reader. */
function hashedBy(
  { op, domain, inputs }: Node,
  constants: ReadonlyMap<string, Tensor | HashedTensor>,
): HashedTensor | undefined {
  const [from, ...hash] = inputs.map((name) => constants.get(name));
  if (domain !== "netpare" || from === undefined) return undefined;
  if (op === "HashedWeight" && "data" in from && from.dtype === "float32" && hash.every(isTensor)) {
    const [shape, counts, [seed = 0] = []] = hash.map(toIntegers);
    if (shape === undefined || counts === undefined) return undefined;
    return { shape, counts, seed, isFrequency: false, values: from as Tensor<"float32"> };
  }
  if (op !== "InverseDct" || "data" in from || from.isFrequency) return undefined;
  return from.shape.slice(-2).every((size) => size <= frequencyLimit) ? { ...from, isFrequency: true } : undefined;
}

const isTensor = (constant: Tensor | HashedTensor | undefined): constant is Tensor =>
  constant !== undefined && "data" in constant;

/** Each dimension from what it is for one image and for two. */
function dimsOf(name: string, one: Facts, two: Facts): ProgramDim[] {
  const [a, b] = [one.get(name)?.shape, two.get(name)?.shape];
  const unknown = () =>
    new NetpareError(
      "unsupported",
      `the shape of '${name}' does not follow from the batch ([${a ?? "?"}] for one image, [${b ?? "?"}] for two); a .pare file needs that; fix the model's other dimensions`,
    );
  if (a === undefined || b === undefined || a.length !== b.length) throw unknown();
  return a.map((size: Dim, i) => {
    const double = b[i]!;
    if (typeof size !== "number" || typeof double !== "number") throw unknown();
    if (double !== size && double !== 2 * size) throw unknown();
    return { size, perImage: double === 2 * size && size > 0 };
  });
}

function plainAttributes(node: Node): Attributes {
  if (node.captures !== undefined) throw new NetpareError("unsupported", `${nodeLabel(node)} holds a graph of its own`);
  return Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]) => {
      const { kind, value } = attribute;
      if (!(attributeKinds as readonly string[]).includes(kind))
        throw new NetpareError("unsupported", `${nodeLabel(node)}: a .pare file cannot hold its attribute ${name}`);
      return [name, { kind, value } as Attribute];
    }),
  );
}
