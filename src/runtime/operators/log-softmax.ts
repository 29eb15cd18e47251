/** Softmax and LogSoftmax over any axis: `e^(x - max) / Σ e^(x - max)`, or its logarithm. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import { broadcastIndices } from "./_copy.ts";
import { addSoftmax } from "./softmax.ts";

export function addAnySoftmax(build: Build, node: ProgramNode): void {
  if (addSoftmax(build, node)) return;
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const shape = build.shape(x);
  const axis = build.axis(x, attribute(node, "axis", -1));
  const isLog = node.op === "LogSoftmax";
  const groups = broadcastIndices(build, shape.with(axis, 1), shape);
  const [most, sums] = [new Float64Array(groups.length / shape[axis]!), new Float64Array(groups.length / shape[axis]!)];
  build.act(
    (memory, from, to) => {
      const [a, b] = [from! / 4, to! / 4];
      most.fill(Number.NEGATIVE_INFINITY);
      sums.fill(0);
      for (let i = 0; i < groups.length; i++) most[groups[i]!] = Math.max(most[groups[i]!]!, memory[a + i]!);
      for (let i = 0; i < groups.length; i++) sums[groups[i]!]! += Math.exp(memory[a + i]! - most[groups[i]!]!);
      for (let i = 0; i < groups.length; i++) {
        const shifted = memory[a + i]! - most[groups[i]!]!;
        memory[b + i] = isLog ? shifted - Math.log(sums[groups[i]!]!) : Math.exp(shifted) / sums[groups[i]!]!;
      }
    },
    build.read(x),
    build.write(y),
  );
}
