/**
 * Moving b×b blocks of pixels to channels and back. A map of axes is one Transpose between two Reshapes:
 * `(N, b·b·C, H, W) ↔ (N, b, b, C, H, W)` in DCR mode or `(N, C, b, b, H, W)` in CRD mode `↔ (N, C, H, b, W, b) ↔ (N, C, H·b, W·b)`.
 */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { mapDim } from "./fact.ts";

/** `(N, b·b·C, H, W) → (N, C, H·b, W·b)`. @throws NetpareError `bad-shape` where the channels do not divide. */
export function spreadDims(shape: readonly Dim[], block: number): Dim[] {
  const [batch, depth, ...spatial] = requireFour(shape);
  if (typeof depth === "number" && depth % block ** 2 !== 0)
    throw new NetpareError("bad-shape", `${depth} channels do not divide into blocks of ${block}x${block} pixels`);
  return [batch, mapDim(depth, (size) => size / block ** 2), ...spatial.map((dim) => mapDim(dim, (n) => n * block))];
}

/** `(N, C, H·b, W·b) → (N, b·b·C, H, W)`. @throws NetpareError `bad-shape` where the pixels do not divide. */
export function gatheredDims(shape: readonly Dim[], block: number): Dim[] {
  const [batch, channels, ...spatial] = requireFour(shape);
  if (spatial.some((dim) => typeof dim === "number" && dim % block !== 0))
    throw new NetpareError("bad-shape", `${spatial.join("x")} pixels do not divide into blocks of ${block}x${block}`);
  return [batch, mapDim(channels, (size) => size * block ** 2), ...spatial.map((dim) => mapDim(dim, (n) => n / block))];
}

function requireFour(shape: readonly Dim[]): readonly [Dim, Dim, Dim, Dim] {
  if (shape.length !== 4) throw new NetpareError("bad-shape", `expected an input (N, C, H, W), found shape [${shape}]`);
  return shape as readonly [Dim, Dim, Dim, Dim];
}

/** For each pixel of `(N, C, H·b, W·b)`, the offset in the `(N, b·b·C, H, W)` tensor that holds it. */
export function blockOffsets(
  [batch, channels, height, width]: Shape,
  block: number,
  columnRowDepth: boolean,
): Int32Array {
  const [n, c, h, w] = [batch!, channels!, height!, width!];
  const [rows, columns] = [h / block, w / block];
  const offsets = new Int32Array(sizeOf([n, c, h, w]));
  let at = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < c; j++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
          const inBlock = (y % block) * block + (x % block);
          const depth = columnRowDepth ? j * block ** 2 + inBlock : inBlock * c + j;
          const [row, column] = [Math.floor(y / block), Math.floor(x / block)];
          offsets[at++] = ((i * c * block ** 2 + depth) * rows + row) * columns + column;
        }
  return offsets;
}
