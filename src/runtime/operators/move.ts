/**
 * Operators that only move values: each output element comes from an input element, or is a constant. The indices are found when
 * the network is loaded; a step copies by them.
 */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, type Place, unsupported } from "../build.ts";

/** For the place of an output element the place of its source; a place off the input is filled. */
type Move = (build: Build, node: ProgramNode) => (at: readonly number[]) => readonly number[];

export const moves: ReadonlyMap<string, Move> = new Map<string, Move>([
  ["Transpose", transpose],
  ["Slice", slice],
  ["Pad", pad],
  ["Expand", () => (at) => at],
  [
    "Tile",
    (build, { inputs }) =>
      (at) =>
        at.map((i, axis) => i % build.shape(inputs[0]!)[axis]!),
  ],
  ["DepthToSpace", depthToSpace],
  ["SpaceToDepth", spaceToDepth],
]);

export function addMove(build: Build, node: ProgramNode): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const source = moves.get(node.op)!(build, node);
  const [from, to] = [build.shape(x), build.shape(y)];
  // Axes of size 1 are where Expand repeats.
  const fit = node.op === "Expand" ? (at: readonly number[]) => alignTo(at, from) : source;
  const indices = indicesOf(from, to, fit);
  const fill = node.op === "Pad" && (node.inputs[2] ?? -1) >= 0 ? build.constant(node.inputs[2]!)[0]! : 0;
  const src = build.read(x);
  addCopy(build, src, build.write(y), indices, fill, build.elementBytes(y));
}

/** Copies elements of `bytes` by indices into the source; -1 is `fill`. */
export function addCopy(build: Build, src: Place, dst: Place, indices: Int32Array, fill = 0, bytes = 4): void {
  build.act(
    (floats, from, to) => {
      const memory = elementsOf(floats, bytes);
      for (let i = 0; i < indices.length; i++)
        memory[to / bytes + i] = indices[i]! < 0 ? fill : memory[from / bytes + indices[i]!]!;
    },
    src,
    dst,
  );
}

/** The memory in elements of 4 bytes or 1. */
export function elementsOf(memory: Float32Array, bytes: number): Float32Array | Uint8Array {
  return bytes === 4 ? memory : new Uint8Array(memory.buffer);
}

/** Where each element of `to` comes from in `from`, which is broadcast to it. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Int32Array {
  return indicesOf(from, to, (at) => alignTo(at, from));
}

/** The place in a shape that is broadcast: aligned at the last axis, 0 where the size is 1. */
function alignTo(at: readonly number[], from: readonly number[]): number[] {
  return from.map((size, axis) => (size === 1 ? 0 : at[axis + at.length - from.length]!));
}

function indicesOf(
  from: readonly number[],
  to: readonly number[],
  source: (at: readonly number[]) => readonly number[],
) {
  const indices = new Int32Array(to.reduce((product, size) => product * size, 1));
  const at = to.map(() => 0);
  for (let i = 0; i < indices.length; i++) {
    indices[i] = source(at).reduce((sum, place, axis) => {
      const size = from[axis]!;
      return sum < 0 || place < 0 || place >= size ? -1 : sum * size + place;
    }, 0);
    for (let axis = to.length - 1; axis >= 0 && ++at[axis]! === to[axis]; axis--) at[axis] = 0;
  }
  return indices;
}

function transpose(build: Build, node: ProgramNode) {
  const order = attribute(
    node,
    "perm",
    build.shape(node.inputs[0]!).map((_, axis, all) => all.length - 1 - axis),
  );
  return (at: readonly number[]) => at.map((_, axis) => at[order.indexOf(axis)]!);
}

function slice(build: Build, { inputs }: ProgramNode) {
  const shape = build.shape(inputs[0]!);
  const list = (i: number) => ((inputs[i] ?? -1) < 0 ? undefined : Array.from(build.constant(inputs[i]!)));
  const starts = list(1)!;
  const axes = list(3) ?? starts.map((_, i) => i);
  const steps = list(4) ?? starts.map(() => 1);
  const [begin, step] = [shape.map(() => 0), shape.map(() => 1)];
  for (const [i, given] of axes.entries()) {
    const axis = (given + shape.length) % shape.length;
    const size = shape[axis]!;
    const from = starts[i]! < 0 ? starts[i]! + size : starts[i]!;
    begin[axis] = steps[i]! < 0 ? Math.min(Math.max(from, 0), size - 1) : Math.min(Math.max(from, 0), size);
    step[axis] = steps[i]!;
  }
  return (at: readonly number[]) => at.map((place, axis) => begin[axis]! + place * step[axis]!);
}

function pad(build: Build, node: ProgramNode) {
  const shape = build.shape(node.inputs[0]!);
  const pads = Array.from(build.constant(node.inputs[1]!));
  const axes = (node.inputs[3] ?? -1) < 0 ? shape.map((_, axis) => axis) : Array.from(build.constant(node.inputs[3]!));
  const before = shape.map(
    (_, axis) => pads[axes.findIndex((given) => (given + shape.length) % shape.length === axis)] ?? 0,
  );
  const mode = attribute(node, "mode", "constant");
  if (!["constant", "edge", "reflect"].includes(mode)) throw unsupported(`Pad with mode ${mode}`);
  return (at: readonly number[]) =>
    at.map((place, axis) => {
      const inside = place - before[axis]!;
      const last = shape[axis]! - 1;
      if (mode === "edge") return Math.min(Math.max(inside, 0), last);
      return mode === "reflect" ? last - Math.abs(last - Math.abs(inside)) : inside;
    });
}

function depthToSpace(build: Build, node: ProgramNode) {
  const block = attribute(node, "blocksize", 1);
  const channels = build.shape(node.outputs[0]!)[1]!;
  const columnsFirst = attribute(node, "mode", "DCR") === "CRD";
  return ([n, c, y, x]: readonly number[]) => {
    const part = (y! % block) * block + (x! % block);
    const channel = columnsFirst ? c! * block * block + part : part * channels + c!;
    return [n!, channel, Math.floor(y! / block), Math.floor(x! / block)];
  };
}

function spaceToDepth(build: Build, node: ProgramNode) {
  const block = attribute(node, "blocksize", 1);
  const channels = build.shape(node.inputs[0]!)[1]!;
  return ([n, c, y, x]: readonly number[]) => {
    const part = Math.floor(c! / channels);
    return [n!, c! % channels, y! * block + Math.floor(part / block), x! * block + (part % block)];
  };
}
