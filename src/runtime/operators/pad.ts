/** The operator Pad: more places on both sides of an axis, with a number or what lies inside. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, axisOf, type Build, unsupported } from "../build.ts";
import { addMove, type Move } from "./_move.ts";

export function addPad(build: Build, node: ProgramNode): void {
  addMove(build, node, pad);
}

const pad: Move = (build, node, from) => {
  const pads = build.list(node.inputs[1]) ?? [];
  const axes = (build.list(node.inputs[3]) ?? [...from.keys()]).map((axis) => axisOf(axis, from.length));
  const amount = (axis: number, behind: number) =>
    axes.includes(axis) ? pads[axes.indexOf(axis) + behind * axes.length]! : 0;
  const mode = attribute(node, "mode", "constant");
  if (!["constant", "edge", "reflect", "wrap"].includes(mode)) throw unsupported(`Pad with mode ${mode}`);
  return [
    from.map((size, axis) => size + amount(axis, 0) + amount(axis, 1)),
    (at) =>
      at.map((place, axis) => {
        const inside = place - amount(axis, 0);
        const last = from[axis]! - 1;
        if (mode === "edge") return Math.min(Math.max(inside, 0), last);
        if (mode === "wrap") return inside - Math.floor(inside / (last + 1)) * (last + 1);
        return mode === "reflect" ? last - Math.abs(last - (Math.abs(inside) % (2 * last || 1))) : inside;
      }),
    build.list(node.inputs[2])?.[0],
  ];
};
