/** A program as a graph again, so that what reads models reads `.pare` files alike. */
import type { Dim, Graph, Node, Value } from "../graph/graph.ts";
import { createNames, type Names } from "../graph/names.ts";
import { verifyGraph } from "../graph/verify.ts";
import { hashInputs } from "../ops/hashed-weight.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { CodedTensor, Hash, Program } from "./program.ts";

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
  const initializers = new Map<string, Tensor>();
  const hashed: Node[] = [];
  for (const [value, { content, dtype, shape, decode }] of program.tensors)
    if (content.form !== "hashed") initializers.set(nameOf(value), tensor(dtype, shape, decode() as never));
    else hashed.push(...hashNodes(nameOf(value), shape, content, { names, initializers }));
  const nodes = program.nodes.map((node) => ({
    ...node,
    name: names.freshNode(node.op.toLowerCase()),
    inputs: node.inputs.map(nameOf),
    outputs: node.outputs.map(nameOf),
  }));
  return verifyGraph({
    name: "pare",
    inputs: program.inputs.map(({ value }) => typed(value)),
    outputs: program.outputs.map(({ value }) => typed(value)),
    nodes: [...hashed, ...nodes],
    initializers,
    metadata: program.metadata,
    opsets: new Map([
      ["", program.opset],
      ...[...hashed, ...nodes].flatMap(({ domain }) => (domain === "" ? [] : [[domain, 1] as const])),
    ]),
  });
}

/** The nodes that make a constant of the values and the hash that the file holds. */
function hashNodes(
  name: string,
  shape: readonly number[],
  { seed, counts, isFrequency, values }: Hash & { readonly values: CodedTensor },
  { names, initializers }: { readonly names: Names; readonly initializers: Map<string, Tensor> },
): Node[] {
  const held = [
    tensor("float32", values.shape, values.decode() as Float32Array<ArrayBuffer>),
    ...hashInputs(shape, counts, seed),
  ];
  const inputs = held.map((content, i) => {
    const input = names.fresh(`${name}/${["values", "shape", "counts", "seed"][i]}`);
    initializers.set(input, content);
    return input;
  });
  const made = isFrequency ? names.fresh(`${name}/frequencies`) : name;
  const node = (op: string, from: readonly string[], to: string): Node => ({
    ...{ name: names.freshNode(op.toLowerCase()), op, domain: "netpare", inputs: from, outputs: [to] },
    attributes: {},
  });
  return [node("HashedWeight", inputs, made), ...(isFrequency ? [node("InverseDct", [made], name)] : [])];
}
