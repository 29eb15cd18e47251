/** Functions of one element. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import { boundsOf } from "./_bounds.ts";

/** The kernel's number of a function, and its two operands. */
type Function1 = readonly [op: number, alpha?: readonly [string, number], beta?: readonly [string, number]];

export const unaryOps: ReadonlyMap<string, Function1> = new Map<string, Function1>([
  ["Relu", [0]],
  ["Clip", [0]],
  ["LeakyRelu", [1, ["alpha", 0.01]]],
  ["Sigmoid", [2]],
  ["Tanh", [3]],
  ["HardSigmoid", [4, ["alpha", 0.2], ["beta", 0.5]]],
  ["HardSwish", [5]],
  ["Elu", [6, ["alpha", 1]]],
  ["Exp", [7]],
  ["Log", [8]],
  ["Sqrt", [9]],
  ["Abs", [10]],
  ["Neg", [11]],
  ["Reciprocal", [12]],
  ["Floor", [14]],
  ["Ceil", [15]],
  ["Softplus", [16]],
  ["Softsign", [17]],
  ["Sign", [18]],
  ["Round", [19]],
]);

/** @returns false where bounds are computed. */
export function addUnary(build: Build, node: ProgramNode): boolean {
  const [op, alpha, beta] = unaryOps.get(node.op)!;
  const bounds = op === 0 ? boundsOf(build, node) : [alpha, beta].map((one) => (one ? attribute(node, ...one) : 0));
  if (bounds === undefined) return false;
  const x = node.inputs[0]!;
  const y = build.output(node, build.shape(x));
  if (build.takes(node)) return true;
  build.call("unary", op, build.read(x), build.write(y), build.size(x), bounds[0]!, bounds[1]!);
  return true;
}
