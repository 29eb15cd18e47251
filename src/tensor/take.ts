/**
 * Data movement by index maps. Slice, Pad, Gather, Tile, Expand and the removal of channels are of the form
 * `y[i0, i1, …] = x[m0[i0], m1[i1], …]` with one map an axis.
 */
import { type Shape, stridesOf } from "./shape.ts";
import { type Tensor, tensor } from "./tensor.ts";

/** `0, 1, …, count - 1`. */
export const indicesTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** `y[i] = x[offsets[i]]`; `fill`'s first element, or zero, where an offset is negative. */
export function take(x: Tensor, shape: Shape, offsets: ArrayLike<number>, fill?: Tensor): Tensor {
  const y = tensor(x.dtype, shape);
  const from = x.data as Float32Array;
  const to = y.data as Float32Array;
  if (fill !== undefined) to.fill((fill.data as Float32Array)[0]!);
  for (let i = 0; i < offsets.length; i++) if (offsets[i]! >= 0) to[i] = from[offsets[i]!]!;
  return y;
}

/** `y[i0, i1, …] = x[maps[0][i0], maps[1][i1], …]`; `fill`'s first element, or zero, where an entry is negative. */
export function takeAxes(x: Tensor, maps: readonly ArrayLike<number>[], fill?: Tensor): Tensor {
  const strides = stridesOf(x.shape);
  let offsets = Int32Array.of(0);
  maps.forEach((map, axis) => {
    const outer = offsets;
    offsets = new Int32Array(outer.length * map.length);
    let at = 0;
    for (const base of outer)
      for (let i = 0; i < map.length; i++)
        offsets[at++] = base < 0 || map[i]! < 0 ? -1 : base + map[i]! * strides[axis]!;
  });
  return take(
    x,
    maps.map((map) => map.length),
    offsets,
    fill,
  );
}

/** `x` with only the indices `kept` of one axis. */
export function takeAxis(x: Tensor, axis: number, kept: ArrayLike<number>): Tensor {
  return takeAxes(
    x,
    x.shape.map((dim, at) => (at === axis ? kept : indicesTo(dim))),
  );
}
