/** Softmax over the last axis, or over one behind which all axes have size 1. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, unsupported } from "../build.ts";

export function addSoftmax(build: Build, node: ProgramNode): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const shape = build.shape(x);
  const axis = (attribute(node, "axis", -1) + shape.length) % shape.length;
  if (shape.slice(axis + 1).some((size) => size > 1)) throw unsupported("Softmax over other than the last axis");
  build.call("softmax", build.read(x), build.write(y), build.size(x) / shape[axis]!, shape[axis]!);
}
