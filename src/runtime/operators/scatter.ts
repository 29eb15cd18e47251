/** Operators that write where indices say: ScatterElements by constant indices, OneHot. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, axisOf, type Build, sizeOf } from "../build.ts";
import { indicesOf } from "./_copy.ts";
import { indexAt } from "./move.ts";

/** What an update makes of the element that it meets. */
const joins: ReadonlyMap<string, (held: number, update: number) => number> = new Map([
  ["none", (_: number, update: number) => update],
  ["add", (held: number, update: number) => held + update],
  ["mul", (held: number, update: number) => held * update],
  ["max", Math.max],
  ["min", Math.min],
]);

export function addScatterElements(build: Build, node: ProgramNode): void {
  const [x, index, update] = node.inputs as [number, number, number];
  const [shape, given] = [build.shape(x), build.shape(index)];
  const y = build.output(node, shape);
  const axis = build.axis(x, attribute(node, "axis", 0));
  const join = joins.get(attribute(node, "reduction", "none"));
  if (!join || given.length !== shape.length || String(given) !== String(build.shape(update)))
    throw badFile(`ScatterElements of (${build.shape(update)}) by (${given}) into (${shape})`);
  const indices = build.constant(index);
  const places = indicesOf(build, shape, given, (at) => at.with(axis, indexAt(indices, given, at, shape[axis]!)));
  build.act(
    (memory, from, updates, to) => {
      memory.copyWithin(to! / 4, from! / 4, from! / 4 + sizeOf(shape));
      for (const [i, place] of places.entries())
        if (place >= 0) memory[to! / 4 + place] = join(memory[to! / 4 + place]!, memory[updates! / 4 + i]!);
    },
    build.read(x),
    build.read(update),
    build.write(y),
  );
}

/** An axis of `depth` is put in, with the second of two values where the index says and the first elsewhere. */
export function addOneHot(build: Build, node: ProgramNode): void {
  const [x, count, values] = node.inputs as [number, number, number];
  const given = build.shape(x);
  const axis = axisOf(attribute(node, "axis", -1), given.length + 1);
  const depth = build.list(count)?.[0] ?? 0;
  if (build.size(values) !== 2) throw badFile(`OneHot of ${build.size(values)} values`);
  const y = build.output(node, given.toSpliced(axis, 0, depth));
  const [size, inner] = [build.size(y), sizeOf(given.slice(axis))];
  build.act(
    (memory, indices, pair, to) => {
      for (let i = 0; i < size; i++) {
        const off = Math.floor(i / inner) % depth;
        const index = memory[indices! / 4 + Math.floor(i / (inner * depth)) * inner + (i % inner)]!;
        memory[to! / 4 + i] = memory[pair! / 4 + (index === off || index + depth === off ? 1 : 0)]!;
      }
    },
    build.read(x),
    build.read(values),
    build.write(y),
  );
}
