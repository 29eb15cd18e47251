/** Runs a graph by the operators' references: slow, exact, the oracle of tests and the engine of constant folding. */
import { type Attribute, int } from "../graph/attributes.ts";
import { type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import { dtypeOfNumber, elementTypeOf } from "../tensor/element-type.ts";
import { NetpareError } from "../tensor/error.ts";
import { castTensor, type Tensor } from "../tensor/tensor.ts";
import { findOp } from "./registry.ts";

/**
 * The values of `wanted` (the graph's outputs where left out) for given inputs.
 * @throws NetpareError `unsupported` where a node's operator is not known.
 */
export function evaluateGraph(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  wanted: readonly string[] = graph.outputs.map((output) => output.name),
): Map<string, Tensor> {
  const values = new Map<string, Tensor>([...graph.initializers, ...feeds]);
  for (const node of graph.nodes) {
    const op = findOp(node);
    if (op === undefined) throw new NetpareError("unsupported", `${nodeLabel(node)}: netpare has no reference for it`);
    const inputs = node.inputs.map((name) => (name === "" ? undefined : values.get(name)));
    const outputs = op.evaluate(node, inputs);
    node.outputs.forEach((name, i) => {
      const value = outputs[i];
      if (name !== "" && value !== undefined) values.set(name, value);
    });
  }
  return new Map(
    wanted.map((name) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`internal: nothing computed '${name}'`);
      return [name, value];
    }),
  );
}

/** The graph with every float of lower precision made float64: inputs, constants, attributes and casts. */
export function toFloat64(graph: Graph): Graph {
  const widen = (t: Tensor): Tensor => (isFloat(t.dtype) ? castTensor(t, "float64") : t);
  const widenType = <T extends { readonly dtype: DType }>(value: T): T =>
    isFloat(value.dtype) ? { ...value, dtype: "float64" } : value;
  const widenAttribute = (node: Node, name: string, attribute: Attribute): Attribute => {
    if (attribute.kind === "tensor") return { kind: "tensor", value: widen(attribute.value) };
    if (node.op !== "Cast" || name !== "to" || attribute.kind !== "int") return attribute;
    const dtype = dtypeOfNumber(attribute.value);
    return dtype && isFloat(dtype) ? int(elementTypeOf("float64")) : attribute;
  };
  return {
    ...graph,
    inputs: graph.inputs.map(widenType),
    outputs: graph.outputs.map(widenType),
    initializers: new Map([...graph.initializers].map(([name, t]) => [name, widen(t)])),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([name, attribute]) => [name, widenAttribute(node, name, attribute)]),
      ),
    })),
  };
}
