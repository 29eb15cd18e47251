/** Sums, products and their kin of two operands of one shape. */
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";
import { closing } from "./_bounds.ts";

/** The kernel's numbers of `a op b` and of the same with its operands exchanged. */
export const arithmeticOps: ReadonlyMap<string, readonly [op: number, exchanged: number]> = new Map([
  ["Add", [0, 0]],
  ["Sub", [1, 6]],
  ["Mul", [2, 2]],
  ["Div", [3, 7]],
  ["Max", [4, 4]],
  ["Min", [5, 5]],
  ["Sum", [0, 0]],
  ["PRelu", [8, 8]],
  ["Mean", [0, 0]],
]);

/** @returns false where operands are of different shapes, of integers, or other than two. */
export function addAlike(build: Build, node: ProgramNode): boolean {
  const [a, b, ...others] = node.inputs as [number, number?];
  const y = node.outputs[0]!;
  const alike = [a, b ?? -1].every((x) => x >= 0 && String(build.shape(x)) === String(build.shape(y)));
  const isFloat = build.program.values[y]!.dtype === "float32";
  if (!alike || !isFloat || others.length > 0 || node.op === "Mean") return false;
  const sources = [build.read(a), build.read(b!)] as const;
  const { output, lo, hi } = closing(build, y, { residual: false });
  const [op] = arithmeticOps.get(node.op)!;
  build.call("arithmetic", op, ...sources, build.write(output), 1, build.size(y), 0, lo, hi);
  return true;
}
