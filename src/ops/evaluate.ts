/** Runs a graph by the operators' references: slow, exact, the oracle of tests and the engine of constant folding. */
import { type Graph, nodeLabel } from "../graph/graph.ts";
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

/** The number of ONNX's element type `double`. */
const onnxDouble = 11;
/** ONNX's numbers of float, float16 and bfloat16. */
const onnxFloats = [1, 10, 16];

/** The graph with every float of lower precision made float64: inputs, constants, attributes and casts. */
export function toFloat64(graph: Graph): Graph {
  const widen = (t: Tensor): Tensor =>
    t.dtype === "float32" || t.dtype === "float16" || t.dtype === "bfloat16" ? castTensor(t, "float64") : t;
  const widenType = <T extends { readonly dtype: Tensor["dtype"] }>(value: T): T =>
    value.dtype === "float32" || value.dtype === "float16" || value.dtype === "bfloat16"
      ? { ...value, dtype: "float64" }
      : value;
  return {
    ...graph,
    inputs: graph.inputs.map(widenType),
    outputs: graph.outputs.map(widenType),
    initializers: new Map([...graph.initializers].map(([name, t]) => [name, widen(t)])),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([name, attribute]) => {
          if (attribute.kind === "tensor") return [name, { kind: "tensor", value: widen(attribute.value) }];
          if (node.op === "Cast" && name === "to" && attribute.kind === "int" && onnxFloats.includes(attribute.value))
            return [name, { kind: "int", value: onnxDouble }];
          return [name, attribute];
        }),
      ),
    })),
  };
}
