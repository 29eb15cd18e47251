/**
 * What operators that only move values have in common: each output element comes from an input element, or is a constant. The indices
 * are found when the network is loaded; a step copies by them.
 */
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";
import { addCopy, axisIndices } from "./_copy.ts";

type Shape = readonly number[];

/** The output's shape, and for the place of its elements the place of their source; a place off the input is filled. */
export type Move = (
  build: Build,
  node: ProgramNode,
  from: Shape,
) => readonly [to: Shape, source: (at: Shape) => Shape, fill?: number | undefined];

/** `find` finds the indices; `axisIndices` where no axis of the input depends on more than one of the output. */
export function addMove(build: Build, node: ProgramNode, move: Move, find = axisIndices): void {
  const x = node.inputs[0]!;
  const from = build.shape(x);
  const [to, source, fill] = move(build, node, from);
  const y = build.output(node, to);
  const indices = find(build, from, to, source);
  build.checkBytes(x, y);
  const src = build.read(x);
  addCopy(build, src, build.write(y), indices, fill, build.elementBytes(y));
}
