/** All operators: one line each. */
import type { Node } from "../graph/graph.ts";
import { add } from "./add.ts";
import type { Operator } from "./define-op.ts";
import { relu } from "./relu.ts";

/** Every operator netpare knows, in alphabetical order. */
export const operators: readonly Operator[] = [add, relu];

const byName = new Map(operators.map((operator) => [`${operator.domain}:${operator.op}`, operator]));

/** The operator of a node, undefined where netpare does not know it. */
export function findOp(node: Pick<Node, "op" | "domain">): Operator | undefined {
  const domain = node.domain === "ai.onnx" ? "" : node.domain;
  return byName.get(`${domain}:${node.op}`);
}
