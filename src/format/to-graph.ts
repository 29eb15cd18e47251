/** A program as a graph again, so that what reads models reads `.pare` files alike. */
import type { Dim, Graph, Value } from "../graph/graph.ts";
import { createNames } from "../graph/names.ts";
import { verifyGraph } from "../graph/verify.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Program } from "./program.ts";

/** The graph of a program; values and nodes are named by their numbers and operators. Constants are decoded. */
export function graphOf(program: Program): Graph {
  const names = createNames();
  const byNumber = new Map<number, string>();
  for (const { name, value } of [...program.inputs, ...program.outputs])
    if (!byNumber.has(value)) byNumber.set(value, names.fresh(name));
  const nameOf = (value: number) => {
    if (value < 0) return "";
    const known = byNumber.get(value) ?? names.fresh(program.tensors.has(value) ? `constant${value}` : `value${value}`);
    byNumber.set(value, known);
    return known;
  };
  const typed = (value: number): Value => {
    const { dtype, dims } = program.values[value]!;
    const shape = dims.map(({ size, perImage }): Dim => (perImage ? (size === 1 ? "N" : `${size}N`) : size));
    return { name: nameOf(value), dtype, shape };
  };
  return verifyGraph({
    name: "pare",
    inputs: program.inputs.map(({ value }) => typed(value)),
    outputs: program.outputs.map(({ value }) => typed(value)),
    nodes: program.nodes.map((node) => ({
      ...node,
      name: names.freshNode(node.op.toLowerCase()),
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
    })),
    initializers: new Map(
      [...program.tensors].map(([value, { dtype, shape, decode }]) => [
        nameOf(value),
        tensor(dtype, shape, decode() as never),
      ]),
    ),
    metadata: program.metadata,
    opsets: new Map([
      ["", program.opset],
      ...program.nodes.flatMap(({ domain }) => (domain === "" ? [] : [[domain, 1] as const])),
    ]),
  });
}
