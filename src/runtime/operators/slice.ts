/** The operator Slice: some places of each axis, from one to another by steps. */
import type { ProgramNode } from "../../format/read.ts";
import { axisOf, type Build } from "../build.ts";
import { addMove, type Move } from "./_move.ts";

export function addSlice(build: Build, node: ProgramNode): void {
  addMove(build, node, slice);
}

const slice: Move = (build, { inputs }, from) => {
  const [starts = [], ends = [], axes = [...starts.keys()], steps = []] = inputs
    .slice(1)
    .map((list) => build.list(list));
  const [begin, step, to] = [from.map(() => 0), from.map(() => 1), [...from]];
  for (const [i, given] of axes.entries()) {
    const axis = axisOf(given, from.length);
    const size = from[axis]!;
    const by = steps[i] ?? 1;
    const clamp = (at: number) =>
      Math.min(Math.max(at < 0 ? at + size : at, by < 0 ? -1 : 0), by < 0 ? size - 1 : size);
    begin[axis] = clamp(starts[i]!);
    step[axis] = by;
    to[axis] = Math.max(Math.ceil((clamp(ends[i]!) - begin[axis]) / by), 0);
  }
  return [to, (at) => at.map((place, axis) => begin[axis]! + place * step[axis]!)];
};
