/**
 * Operators that compute on 8-bit numbers but have no kernel for them (MaxPool, Clip ...) are run on floats: a DequantizeLinear of scale 1
 * is put before each of their inputs, a QuantizeLinear behind. All 8-bit integers are floats, so the results are the same.
 */
import type { CodedTensor, Program, ProgramNode, ProgramValue } from "../format/read.ts";

const one: CodedTensor = {
  dtype: "float32",
  shape: [],
  content: { form: "raw", bytes: new Uint8Array(Float32Array.of(1).buffer) },
  storedBytes: 0,
  decode: () => Float32Array.of(1),
};

/** The program with all nodes on floats that write 8-bit numbers, but those of which `keeps` holds; undefined where there are none. */
export function widenBytes(program: Program, keeps: (node: ProgramNode) => boolean): Program | undefined {
  const values: ProgramValue[] = [...program.values];
  const nodes: ProgramNode[] = [];
  let widened = false;
  const isByte = (value: number) => /^u?int8$/.test(values[value]?.dtype ?? "");
  const add = (value: ProgramValue) => values.push(value) - 1;
  const scale = add({ dtype: "float32", dims: [] });
  const wide = (value: number) => (isByte(value) ? add({ ...values[value]!, dtype: "float32" }) : value);
  const convert = (op: string, from: number, to: number) => {
    if (from !== to) nodes.push({ op, domain: "", inputs: [from, scale], outputs: [to], attributes: {} });
  };
  for (const node of program.nodes) {
    if (keeps(node) || ![...node.inputs, ...node.outputs].some(isByte)) nodes.push(node);
    else {
      widened = true;
      const [inputs, outputs] = [node.inputs.map(wide), node.outputs.map(wide)];
      for (const [i, input] of inputs.entries()) convert("DequantizeLinear", node.inputs[i]!, input);
      nodes.push({ ...node, inputs, outputs });
      for (const [i, output] of outputs.entries()) convert("QuantizeLinear", output, node.outputs[i]!);
    }
  }
  if (!widened) return undefined;
  return { ...program, values, nodes, tensors: new Map([...program.tensors, [scale, one]]) };
}
