/** Softmax over the last axis, in a kernel. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";

/** @returns false where the axis is another. */
export function addSoftmax(build: Build, node: ProgramNode): boolean {
  const x = node.inputs[0]!;
  const shape = build.shape(x);
  const axis = build.axis(x, attribute(node, "axis", -1));
  const y = build.output(node, shape);
  if (node.op !== "Softmax" || shape.slice(axis + 1).some((size) => size > 1)) return false;
  build.call("softmax", build.read(x), build.write(y), build.size(x) / shape[axis]!, shape[axis]!);
  return true;
}
