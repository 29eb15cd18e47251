/**
 * Layers whose weights are a table and indices: they stay indices in memory, of 4 or 8 bits. A convolution decodes 8 outputs by up to 512
 * inputs of its weights at a time, 16 KB that stay in the first-level cache, and convolves with these; a dense layer looks them up in
 * registers. The file decides: a table of more than 256 values, few weights that are not zero, or a layer where looking up would cost more
 * than it saves, are for the kernels of decoded weights.
 */
import type { SymbolContent } from "../../format/read.ts";
import { type Build, behind, type Operand, type Place } from "../build.ts";
import { packIndices } from "../kernels/pack-integers.ts";

/** A weight as rows of indices. */
export interface Book {
  readonly bits: 4 | 8;
  /** (O, K). */
  readonly indices: Uint8Array;
  /** The table, or for 4 bits its pairs, when the next step runs. */
  readonly table: Place;
  /** A factor of each output, a multiple of 8 of them. */
  readonly scales: Place;
}

/** Nanoseconds for 8 outputs of one input, measured in whole networks: decoding them, and convolving one pixel (relaxed SIMD, AMD EPYC). */
const decoding = 3;
const convolving = 0.31;
/** Most that decoding may add to a convolution, as a share of it. */
const mostAdded = 1 / 4;
/** Bytes of decoded weights from which a dense layer is no slower by indices: then memory, not arithmetic, is what it waits for. */
const largeBytes = { 4: 2 ** 22, 8: 2 ** 24 };
/** Decoded weights of fewer bytes are not worth it. */
const leastBytes = 2048;
const tile = 512;

/** A constant matrix, (O, K) where `isRows` and else (K, O), times `factor`. */
export interface Matrix {
  readonly value: number;
  readonly isRows: boolean;
  readonly factor: number;
}

/** A convolution's weight (O, …) by indices, where that pays over `pixels` of output. */
export function bookOfConv(build: Build, value: number, pixels: number): Book | undefined {
  const outputs = build.shape(value)[0]!;
  return bookOf(build, { value, isRows: true, factor: 1 }, outputs, () => decoding <= mostAdded * convolving * pixels);
}

/** A dense layer's weight by indices, where that pays. */
export function bookOfDense(build: Build, matrix: Matrix, outputs: number): Book | undefined {
  return bookOf(build, matrix, outputs, (bits, bytes) => bytes >= largeBytes[bits]);
}

function bookOf(
  build: Build,
  { value, isRows, factor }: Matrix,
  outputs: number,
  pays: (bits: 4 | 8, bytes: number) => boolean,
): Book | undefined {
  const content = build.program.tensors.get(value)?.content;
  const bytes = 4 * build.size(value);
  if (content?.form !== "symbols" || build.program.values[value]!.dtype !== "float32" || bytes < leastBytes)
    return undefined;
  const bits = content.table.length > 16 ? 8 : 4;
  if (!pays(bits, bytes) || (content.scales && !isRows)) return undefined;
  const scales = new Float32Array(Math.ceil(outputs / 8) * 8);
  for (let o = 0; o < outputs; o++) scales[o] = factor * (content.scales?.[o] ?? 1);
  return {
    bits,
    indices: rowsOf(content.symbols(), outputs, isRows),
    table: putTable(build, content, bits),
    scales: build.put(scales),
  };
}

function rowsOf(symbols: Uint8Array, outputs: number, isRows: boolean): Uint8Array {
  const count = symbols.length / outputs;
  return isRows ? symbols : symbols.map((_, i) => symbols[(i % count) * outputs + Math.floor(i / count)]!);
}

function putTable(build: Build, { table }: SymbolContent, bits: 4 | 8): Place {
  const values = new Float32Array(2 ** bits);
  values.set(table);
  const at = build.put(values);
  if (bits === 8) return at;
  const pairs = build.scratch(2048);
  build.call("pairs", at, pairs);
  return pairs;
}

/** The last operands of `conv`. */
export type ConvEnd = readonly [
  bias: Place,
  residual: Operand,
  dst: Place,
  outputs: number,
  oh: number,
  ow: number,
  rowBytes: number,
  lo: number,
  hi: number,
];

/** Convolves with the outputs of a book from `first` on. */
export function convolveByBook(
  build: Build,
  { bits, indices, table, scales }: Book,
  first: number,
  from: Place,
  offsets: Place,
  count: number,
  [bias, residual, dst, outputs, oh, ow, rowBytes, lo, hi]: ConvEnd,
): void {
  const part = indices.subarray(first * count, (first + outputs) * count);
  const packed = putIndices(build, part, outputs, count, bits);
  const weights = build.scratch(32 * tile);
  const none = build.put(new Float32Array(8));
  for (let o = 0; o < outputs; o += 8)
    for (let k = 0; k < count; k += tile) {
      const taken = Math.min(tile, count - k);
      build.call(
        "decode",
        behind(packed, (o * count * bits) / 8 + k * bits),
        bits,
        table,
        behind(scales, 4 * (first + o)),
        weights,
        taken,
      );
      const map = o * oh * ow * 4;
      const to = behind(dst, map);
      // Further tiles add to what the first has written.
      const beside = k > 0 ? to : typeof residual === "number" ? 0 : behind(residual, map);
      const bounds = k + taken < count ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [lo, hi];
      const start = k > 0 ? none : behind(bias, 4 * o);
      build.call(
        "conv",
        from,
        behind(offsets, 4 * k),
        taken,
        weights,
        start,
        beside,
        to,
        Math.min(8, outputs - o),
        oh,
        ow,
        rowBytes,
        ...bounds,
      );
    }
}

/** The indices of a book for `codebookGemm`. */
export function putIndices(build: Build, indices: Uint8Array, outputs: number, count: number, bits: 4 | 8): Place {
  return build.put(new Int32Array(packIndices(indices, outputs, count, bits).buffer));
}
