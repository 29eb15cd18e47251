/** Operators whose output is known when the network is loaded: shapes, and what is made of them. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";

const made: Readonly<Record<string, (build: Build, node: ProgramNode) => ArrayLike<number>>> = {
  Shape: (build, node) =>
    build.shape(node.inputs[0]!).slice(attribute(node, "start", 0), attribute(node, "end", Number.MAX_SAFE_INTEGER)),
  Size: (build, { inputs }) => [build.size(inputs[0]!)],
  ConstantOfShape: (build, node) => new Float32Array(build.size(build.output(node, build.list(node.inputs[0]) ?? []))),
  Range: (build, { inputs, outputs }) => {
    const [from, end, by] = [0, 1, 2].map((i) => build.list(inputs[i])?.[0] ?? Number.NaN) as [number, number, number];
    const count = Math.max(Math.ceil((end - from) / by), 0) || 0;
    return Float32Array.from({ length: Math.min(count, build.size(outputs[0]!) + 1) }, (_, i) => from + i * by);
  },
};

export const madeOps: readonly string[] = Object.keys(made);

export function addMade(build: Build, node: ProgramNode): void {
  const y = node.outputs[0]!;
  build.hold(4 * build.size(y));
  const elements = Float32Array.from(made[node.op]!(build, node));
  if (elements.length !== build.size(y))
    throw badFile(`${node.op} gives ${elements.length} numbers for ${build.size(y)}`);
  build.fold(y, () => elements);
}
