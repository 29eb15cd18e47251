/** Operators that only move values, of those that few networks need. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, axisOf, type Build, broadcast } from "../build.ts";
import { alignTo, axisIndices, indicesOf } from "./_copy.ts";
import { addMove, type Move } from "./_move.ts";

type Shape = readonly number[];

export const moves: ReadonlyMap<string, Move> = new Map<string, Move>([
  ["Transpose", transpose],
  ["Expand", expand],
  ["Tile", tile],
  ["Gather", gather],
  ["GatherElements", gatherElements],
  ["GatherND", gatherNd],
  ["DepthToSpace", depthToSpace],
  ["SpaceToDepth", spaceToDepth],
]);

/** Moves in which an axis of the input depends on several of the output. */
const mixing: ReadonlySet<string> = new Set(["DepthToSpace", "SpaceToDepth", "Gather", "GatherElements", "GatherND"]);

export function addAnyMove(build: Build, node: ProgramNode): void {
  addMove(build, node, moves.get(node.op)!, mixing.has(node.op) ? indicesOf : axisIndices);
}

function transpose(_: Build, node: ProgramNode, from: Shape): ReturnType<Move> {
  const order = attribute(node, "perm", [...from.keys()].reverse());
  if (String([...order].sort((a, b) => a - b)) !== String([...from.keys()])) throw badFile(`Transpose by ${order}`);
  return [order.map((axis) => from[axis]!), (at) => at.map((_, axis) => at[order.indexOf(axis)]!)];
}

function expand(build: Build, { inputs, outputs }: ProgramNode, from: Shape): ReturnType<Move> {
  // A shape that is computed says what the output's says.
  const target = build.isConstant(inputs[1]!) ? build.list(inputs[1])! : build.shape(outputs[0]!);
  return [broadcast([from, target]), (at) => alignTo(at, from)];
}

function tile(build: Build, { inputs }: ProgramNode, from: Shape): ReturnType<Move> {
  const repeats = build.list(inputs[1]) ?? [];
  return [from.map((size, axis) => size * repeats[axis]!), (at) => at.map((i, axis) => i % from[axis]!)];
}

function gather(build: Build, node: ProgramNode, from: Shape): ReturnType<Move> {
  const axis = build.axis(node.inputs[0]!, attribute(node, "axis", 0));
  const given = build.shape(node.inputs[1]!);
  const indices = build.constant(node.inputs[1]!);
  return [
    from.toSpliced(axis, 1, ...given),
    (at) => at.toSpliced(axis, given.length, indexAt(indices, given, at.slice(axis), from[axis]!)),
  ];
}

function gatherElements(build: Build, node: ProgramNode, from: Shape): ReturnType<Move> {
  const axis = build.axis(node.inputs[0]!, attribute(node, "axis", 0));
  const given = build.shape(node.inputs[1]!);
  const indices = build.constant(node.inputs[1]!);
  if (given.length !== from.length) throw badFile(`GatherElements of (${from}) by (${given})`);
  return [given, (at) => at.with(axis, indexAt(indices, given, at, from[axis]!))];
}

function gatherNd(build: Build, node: ProgramNode, from: Shape): ReturnType<Move> {
  const first = attribute(node, "batch_dims", 0);
  const given = build.shape(node.inputs[1]!);
  const depth = given.at(-1) ?? 0;
  const indices = build.constant(node.inputs[1]!);
  const lead = given.length - 1;
  if (!(first >= 0 && first <= lead && first + depth <= from.length))
    throw badFile(`GatherND of (${from}) by (${given})`);
  return [
    [...given.slice(0, -1), ...from.slice(first + depth)],
    (at) => [
      ...at.slice(0, first),
      ...from.slice(first, first + depth).map((size, k) => indexAt(indices, given, [...at.slice(0, lead), k], size)),
      ...at.slice(lead),
    ],
  ];
}

/** The index at a place of a tensor of indices, counted from the first element of an axis of `size`. */
export function indexAt(indices: ArrayLike<number>, shape: Shape, at: Shape, size: number): number {
  const index = indices[shape.reduce((sum, dim, axis) => sum * dim + at[axis]!, 0)]!;
  return axisOf(index, size);
}

function depthToSpace(_: Build, node: ProgramNode, [n, c, h, w]: Shape): ReturnType<Move> {
  const block = attribute(node, "blocksize", 1);
  const channels = c! / block ** 2;
  const columnsFirst = attribute(node, "mode", "DCR") === "CRD";
  return [
    [n!, channels, h! * block, w! * block],
    ([n, c, y, x]) => {
      const part = (y! % block) * block + (x! % block);
      const channel = columnsFirst ? c! * block * block + part : part * channels + c!;
      return [n!, channel, Math.floor(y! / block), Math.floor(x! / block)];
    },
  ];
}

function spaceToDepth(_: Build, node: ProgramNode, [n, channels, h, w]: Shape): ReturnType<Move> {
  const block = attribute(node, "blocksize", 1);
  return [
    [n!, channels! * block ** 2, h! / block, w! / block],
    ([n, c, y, x]) => {
      const part = Math.floor(c! / channels!);
      return [n!, c! % channels!, y! * block + Math.floor(part / block), x! * block + (part % block)];
    },
  ];
}
