/** Concat and Split: runs of the parts copied to or from their places in the whole, unless they lie there. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind } from "../build.ts";
import { elementsOf } from "./_elements.ts";

export function addConcat(build: Build, node: ProgramNode): void {
  const sources = node.inputs.map((input) => build.read(input));
  const dst = build.write(node.outputs[0]!);
  addRuns(build, node, node.outputs[0]!, node.inputs, (part, inWhole, runs) => {
    const [from, to] = [sources[part]!, behind(dst, inWhole)];
    const isThere = from.region === to.region && from.offset === to.offset;
    if (!isThere) build.act(copyRuns(runs, runs.part, runs.whole), from, to);
  });
}

export function addSplit(build: Build, node: ProgramNode): void {
  const src = build.read(node.inputs[0]!);
  const targets = node.outputs.map((output) => build.write(output));
  addRuns(build, node, node.inputs[0]!, node.outputs, (part, inWhole, runs) =>
    build.act(copyRuns(runs, runs.whole, runs.part), behind(src, inWhole), targets[part]!),
  );
}

/** A part's elements, of `bytes` each, lie in `outer` runs of `part` each; those of the whole begin `whole` elements apart. */
interface Runs {
  readonly bytes: number;
  readonly outer: number;
  readonly part: number;
  readonly whole: number;
}

function addRuns(
  build: Build,
  node: ProgramNode,
  whole: number,
  parts: readonly number[],
  add: (part: number, bytesInWhole: number, runs: Runs) => void,
): void {
  const shape = build.shape(whole);
  const axis = build.axis(whole, attribute(node, "axis", 0));
  const sizes = parts.map((part) => build.shape(part)[axis]!);
  for (const part of parts) {
    build.checkBytes(whole, part);
    if (String(build.shape(part).toSpliced(axis, 1)) !== String(shape.toSpliced(axis, 1)))
      throw badFile(`${node.op} of a part (${build.shape(part)}) and the whole (${shape})`);
  }
  const wanted = node.op === "Split" ? build.list(node.inputs[1]) : undefined;
  if (sizes.reduce((sum, size) => sum + size, 0) !== shape[axis] || (wanted && String(wanted) !== String(sizes)))
    throw badFile(`${node.op} of ${shape[axis]} in parts of ${sizes}`);
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const stride = shape[axis]! * inner;
  const bytes = build.elementBytes(whole);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const run = build.shape(part)[axis]! * inner;
    add(i, bytes * at, { bytes, outer: build.size(whole) / stride, part: run, whole: stride });
    at += run;
  }
}

/** Copies runs from one stride to another, in elements. */
function copyRuns({ bytes, outer, part }: Runs, fromStride: number, toStride: number) {
  return (floats: Float32Array, from: number, to: number) => {
    const memory = elementsOf(floats, bytes);
    for (let r = 0; r < outer; r++) {
      const begin = from / bytes + r * fromStride;
      memory.copyWithin(to / bytes + r * toStride, begin, begin + part);
    }
  };
}
