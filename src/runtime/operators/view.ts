/** Operators that leave elements as they lie. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, axisOf, type Build, sizeOf } from "../build.ts";

type Shape = readonly number[];

const squeezed = (shape: Shape) => String(shape.filter((size) => size !== 1));
const isSame = (from: Shape, to: Shape) => String(from) === String(to);
const isSqueezed = (from: Shape, to: Shape) => squeezed(from) === squeezed(to);

/** Whether an operator gives a shape, whose number of elements is right. */
export const views: ReadonlyMap<string, (from: Shape, to: Shape, build: Build, node: ProgramNode) => boolean> = new Map(
  [
    ["Identity", isSame],
    ["Dropout", isSame],
    ["Squeeze", isSqueezed],
    ["Unsqueeze", isSqueezed],
    ["Flatten", isFlat],
    ["Reshape", isAsked],
  ],
);

export function addView(build: Build, node: ProgramNode): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const [from, to] = [build.shape(x), build.shape(y)];
  if (!views.get(node.op)!(from, to, build, node)) throw badFile(`${node.op} of (${from}) gives (${to})`);
  build.view(y, x);
}

function isFlat(from: Shape, to: Shape, _: Build, node: ProgramNode): boolean {
  const axis = attribute(node, "axis", 1);
  const cut = axis === from.length ? axis : axisOf(axis, from.length);
  return isSame([sizeOf(from.slice(0, cut)), sizeOf(from.slice(cut))], to);
}

/** A shape that is computed is not asked for. */
function isAsked(_: Shape, to: Shape, build: Build, { inputs }: ProgramNode): boolean {
  const asked = build.isConstant(inputs[1]!) ? build.list(inputs[1])! : to;
  return asked.length === to.length && asked.every((size, axis) => size < 1 || size === to[axis]);
}
