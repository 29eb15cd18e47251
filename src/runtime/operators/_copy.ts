/** Steps that copy elements by indices, and the indices: found when the network is loaded. */
import { type Build, type Place, sizeOf } from "../build.ts";
import { elementsOf } from "./_elements.ts";

type Shape = readonly number[];

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

/** Where each element of `to` comes from in `from`, which is broadcast to it. */
export function broadcastIndices(build: Build, from: Shape, to: Shape): Int32Array {
  return axisIndices(build, from, to, (at) => alignTo(at, from));
}

/** The place in a shape that is broadcast: aligned at the last axis, 0 where the size is 1. */
export function alignTo(at: Shape, from: Shape): number[] {
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
export function axisIndices(build: Build, from: Shape, to: Shape, source: (at: Shape) => Shape): Int32Array {
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
