/** A graph as the plain data that a `.pare` file holds: values by number, names gone but for inputs and outputs. */
import type { Attribute, Attributes } from "../graph/attributes.ts";
import { type Dim, type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { attributeKinds, type Port, type Program, type ProgramDim } from "./program.ts";

/** A program whose constants are not coded yet. */
export type PlainProgram = Program<Tensor>;

/**
 * Numbers a graph's values: inputs, constants, then what nodes write.
 * @throws NetpareError `unsupported` where a shape cannot be known from the batch alone, or a node holds a graph.
 */
export function programOf(graph: Graph): PlainProgram {
  const numbers = new Map<string, number>();
  const names = [
    ...graph.inputs.map(({ name }) => name).filter((name) => !graph.initializers.has(name)),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== ""),
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
    nodes: graph.nodes.map((node) => ({
      op: node.op,
      domain: node.domain,
      inputs: node.inputs.map((name) => numbers.get(name) ?? -1),
      outputs: node.outputs.map((name) => numbers.get(name) ?? -1),
      attributes: plainAttributes(node),
    })),
    tensors: new Map([...graph.initializers].map(([name, tensor]) => [numbers.get(name)!, tensor])),
  };
}

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
