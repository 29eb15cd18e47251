/** Operators over groups of elements that differ in some axes only: reductions, ArgMax and ArgMin. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, sizeOf } from "../build.ts";
import { broadcastIndices } from "./_copy.ts";
import { addMean } from "./reduce-mean.ts";

/** Where a group begins, what an element adds, and what the end makes of it and of the number of elements. */
type Reduction = readonly [
  start: number,
  step: (sum: number, x: number) => number,
  end?: (sum: number, count: number) => number,
];

const add = (sum: number, x: number) => sum + x;
const addSquare = (sum: number, x: number) => sum + x * x;

export const reductions: ReadonlyMap<string, Reduction> = new Map<string, Reduction>([
  ["ReduceSum", [0, add]],
  ["ReduceMean", [0, add, (sum, count) => sum / count]],
  ["ReduceMax", [Number.NEGATIVE_INFINITY, Math.max]],
  ["ReduceMin", [Number.POSITIVE_INFINITY, Math.min]],
  ["ReduceProd", [1, (product, x) => product * x]],
  ["ReduceL1", [0, (sum, x) => sum + Math.abs(x)]],
  ["ReduceL2", [0, addSquare, Math.sqrt]],
  ["ReduceSumSquare", [0, addSquare]],
]);

/** For each element of a node's input the number of its group, and the output that has one element a group. */
function groupsOf(build: Build, node: ProgramNode, axes: readonly number[]) {
  const shape = build.shape(node.inputs[0]!);
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const y = build.output(node, attribute(node, "keepdims", 1) ? kept : shape.filter((_, axis) => !axes.includes(axis)));
  return { y, groups: broadcastIndices(build, kept, shape) };
}

export function addReduction(build: Build, node: ProgramNode): void {
  const [start, step, end = (sum: number) => sum] = reductions.get(node.op)!;
  const x = node.inputs[0]!;
  const shape = build.shape(x);
  const given = build.list(node.inputs[1]) ?? attribute(node, "axes", []);
  const every = given.length === 0 && !attribute(node, "noop_with_empty_axes", 0);
  const axes = every ? [...shape.keys()] : given.map((axis) => build.axis(x, axis));
  const { y, groups } = groupsOf(build, node, axes);
  if (node.op === "ReduceMean" && addMean(build, x, y, axes)) return;
  const sums = new Float64Array(build.size(y));
  build.act(
    (memory, from, to) => {
      sums.fill(start);
      for (let i = 0; i < groups.length; i++) sums[groups[i]!] = step(sums[groups[i]!]!, memory[from! / 4 + i]!);
      for (let g = 0; g < sums.length; g++) memory[to! / 4 + g] = end(sums[g]!, groups.length / sums.length);
    },
    build.read(x),
    build.write(y),
  );
}

/** ArgMax and ArgMin: of equals the first, or the last. */
export function addArg(build: Build, node: ProgramNode): void {
  const shape = build.shape(node.inputs[0]!);
  const axis = build.axis(node.inputs[0]!, attribute(node, "axis", 0));
  const { y, groups } = groupsOf(build, node, [axis]);
  const inner = sizeOf(shape.slice(axis + 1));
  const sign = node.op === "ArgMax" ? 1 : -1;
  const last = attribute(node, "select_last_index", 0) === 1;
  const best = new Float64Array(build.size(y));
  build.act(
    (memory, from, to) => {
      best.fill(Number.NaN);
      for (let i = 0; i < groups.length; i++) {
        const value = sign * memory[from! / 4 + i]!;
        const g = groups[i]!;
        if (last ? value < best[g]! : value <= best[g]!) continue;
        best[g] = value;
        memory[to! / 4 + g] = Math.floor(i / inner) % shape[axis]!;
      }
    },
    build.read(node.inputs[0]!),
    build.write(y),
  );
}
