/**
 * Operators that only move values: each output element comes from an input element, or is a constant. The indices are found when
 * the network is loaded; a step copies by them.
 */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, axisOf, type Build, broadcast, type Place, sizeOf, unsupported } from "../build.ts";

type Shape = readonly number[];

/** The output's shape, and for the place of its elements the place of their source; a place off the input is filled. */
type Move = (build: Build, node: ProgramNode, from: Shape) => readonly [to: Shape, source: (at: Shape) => Shape];

export const moves: ReadonlyMap<string, Move> = new Map<string, Move>([
  ["Transpose", transpose],
  ["Slice", slice],
  ["Pad", pad],
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

export function addMove(build: Build, node: ProgramNode): void {
  const x = node.inputs[0]!;
  const from = build.shape(x);
  const [to, source] = moves.get(node.op)!(build, node, from);
  const y = build.output(node, to);
  const indices = (mixing.has(node.op) ? indicesOf : axisIndices)(build, from, to, source);
  const fill = node.op === "Pad" ? (build.list(node.inputs[2])?.[0] ?? 0) : 0;
  build.checkBytes(x, y);
  const src = build.read(x);
  addCopy(build, src, build.write(y), indices, fill, build.elementBytes(y));
}

/** Copies elements of `bytes` by indices into the source; -1 is `fill`. */
export function addCopy(build: Build, src: Place, dst: Place, indices: Int32Array, fill = 0, bytes = 4): void {
  build.act(
    (floats, from, to) => {
      const memory = elementsOf(floats, bytes);
      for (let i = 0; i < indices.length; i++)
        memory[to! / bytes + i] = indices[i]! < 0 ? fill : memory[from! / bytes + indices[i]!]!;
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
export function broadcastIndices(build: Build, from: Shape, to: Shape): Int32Array {
  return axisIndices(build, from, to, (at) => alignTo(at, from));
}

/** The place in a shape that is broadcast: aligned at the last axis, 0 where the size is 1. */
function alignTo(at: Shape, from: Shape): number[] {
  return from.map((size, axis) => (size === 1 ? 0 : at[axis + at.length - from.length]!));
}

/** The element of `from` for each of `to`; -1 where `source` is off it. */
export function indicesOf(build: Build, from: Shape, to: Shape, source: (at: Shape) => Shape): Int32Array {
  build.hold(4 * sizeOf(to));
  const indices = new Int32Array(sizeOf(to));
  const at = to.map(() => 0);
  for (let i = 0; i < indices.length; i++) {
    indices[i] = source(at).reduce((sum, place, axis) => {
      const size = from[axis]!;
      return sum >= 0 && place >= 0 && place < size && place % 1 === 0 ? sum * size + place : -1;
    }, 0);
    for (let axis = to.length - 1; axis >= 0 && ++at[axis]! === to[axis]; axis--) at[axis] = 0;
  }
  return indices;
}

/** What `indicesOf` finds where no axis of the input depends on more than one of the output: `source` is asked along axes only. */
function axisIndices(build: Build, from: Shape, to: Shape, source: (at: Shape) => Shape): Int32Array {
  build.hold(4 * sizeOf(to));
  const strides = from.map((_, axis) => from.slice(axis + 1).reduce((product, size) => product * size, 1));
  const first = source(to.map(() => 0));
  const still = new Set(from.keys());
  const offsetOf = (place: readonly number[], axes: Iterable<number>) => {
    let offset = 0;
    for (const axis of axes) {
      if (!(place[axis]! >= 0 && place[axis]! < from[axis]!)) return -1;
      offset += place[axis]! * strides[axis]!;
    }
    return offset;
  };
  const offsets = to.map((size, axis) => {
    const places = Array.from({ length: size }, (_, i) => source(to.map((__, other) => (other === axis ? i : 0))));
    const moved = [...from.keys()].filter((k) => places.some((place) => place[k] !== first[k]));
    for (const k of moved) still.delete(k);
    return Int32Array.from(places, (place) => offsetOf(place, moved));
  });
  let indices = Int32Array.of(offsetOf(first, still));
  for (const along of offsets) {
    const next = new Int32Array(indices.length * along.length);
    let at = 0;
    for (const index of indices) for (const offset of along) next[at++] = index < 0 || offset < 0 ? -1 : index + offset;
    indices = next;
  }
  return indices;
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

function slice(build: Build, { inputs }: ProgramNode, from: Shape): ReturnType<Move> {
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
}

function pad(build: Build, node: ProgramNode, from: Shape): ReturnType<Move> {
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
  ];
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
