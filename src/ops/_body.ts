/** Writes what an operator of netpare's own domain computes, as nodes of standard operators. */
import { type Attributes, int } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";

/** A list of nodes that grows; `op` and `integer` return the name of the value that they write. */
export function bodyWriter() {
  const nodes: Node[] = [];
  const op = (name: string, inputs: readonly string[], attributes: Attributes = {}, output = `v${nodes.length}`) => {
    nodes.push({ name: "", op: name, domain: "", inputs, outputs: [output], attributes });
    return output;
  };
  return { nodes, op, integer: (value: number) => op("Constant", [], { value_int: int(value) }) };
}
