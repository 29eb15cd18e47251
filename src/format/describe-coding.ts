/**
 * Where the bytes of a `.pare` file go: for each layer how many weights are left, what they take in the file, and what the same symbols
 * would take in other codes: their zero-order entropy, what the adaptive models expect, and static Huffman codes as in Deep Compression
 * (Han et al. 2016, arXiv:1510.00149: plain, or gaps and values, whichever is shorter; the table of values comes on top of each alike).
 */
import { entropyBits } from "../codec/entropy.ts";
import { encodeHuffman } from "../codec/huffman-encoder.ts";
import { encodeSymbols, idealBits } from "../codec/symbols-encoder.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { CodedTensor } from "./program.ts";
import { readPare } from "./read-pare.ts";

/** Bytes of streams, in four codes. */
export interface CodeSizes {
  /** In the file. */
  readonly bytes: number;
  /** The zero-order entropy, stream by stream. */
  readonly entropyBytes: number;
  /** What the adaptive models expect. */
  readonly modelBytes: number;
  /** In static Huffman codes. */
  readonly huffmanBytes: number;
}

/** The weight of one layer. */
export interface LayerCoding extends CodeSizes {
  /** Operator and number, in the order of the file. */
  readonly layer: string;
  readonly shape: readonly number[];
  readonly weights: number;
  /** Share of them that are not 0. */
  readonly density: number;
  /** Values of the codebook; 0 where weights are floats. */
  readonly values: number;
}

/** A file's bytes. */
export interface Coding {
  readonly fileBytes: number;
  /** All weights of layers. */
  readonly weights: CodeSizes & { readonly count: number; readonly density: number };
  /** Bytes of biases and other constants' streams. */
  readonly otherBytes: number;
  /** The rest: structure, codebooks, scales, header. */
  readonly structureBytes: number;
  readonly layers: readonly LayerCoding[];
  /** Shares of all weights, each in its layer's root mean squares, in 41 equal bins of -4 to 4; those beyond count in the outer ones. */
  readonly histogram: readonly number[];
}

const bins = 41;
const widest = 4;

/** What the file `bytes` spends on what. @throws NetpareError as `readPare` does. */
export function describeCoding(bytes: Uint8Array): Coding {
  const { nodes, tensors } = readPare(bytes);
  const seen = new Set<number>();
  const layers: LayerCoding[] = [];
  const counts = new Array<number>(bins).fill(0);
  for (const { op, inputs } of nodes) {
    const value = inputs[1] ?? -1;
    const coded = tensors.get(value);
    if (coded === undefined || coded.dtype !== "float32" || coded.shape.length < 2 || seen.has(value)) continue;
    seen.add(value);
    const data = storedOf(coded).decode() as Float32Array;
    countInto(counts, data);
    layers.push({ layer: `${op} ${layers.length + 1}`, ...describeWeight(coded, data) });
  }
  const total = (key: "weights" | keyof CodeSizes) => layers.reduce((sum, layer) => sum + layer[key], 0);
  const count = total("weights");
  const counted = counts.reduce((sum, n) => sum + n, 0);
  const left = layers.reduce((sum, { density, weights }) => sum + density * weights, 0);
  const streams = [...tensors.values()].reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  const sizes = {
    bytes: total("bytes"),
    entropyBytes: total("entropyBytes"),
    modelBytes: total("modelBytes"),
    huffmanBytes: total("huffmanBytes"),
  };
  return {
    fileBytes: bytes.length,
    weights: { count, density: count === 0 ? 1 : left / count, ...sizes },
    otherBytes: streams - sizes.bytes,
    structureBytes: bytes.length - streams,
    layers,
    histogram: counts.map((n) => n / Math.max(1, counted)),
  };
}

/** The values that a hash makes weights of; of others, themselves. */
const storedOf = (coded: CodedTensor) => (coded.content.form === "hashed" ? coded.content.values : coded);

function countInto(counts: number[], data: Float32Array): void {
  const rms = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length) || 1;
  for (const value of data) {
    const place = Math.floor(((value / rms + widest) / (2 * widest)) * bins);
    counts[Math.min(bins - 1, Math.max(0, place))]!++;
  }
}

function describeWeight(coded: CodedTensor, data: Float32Array): Omit<LayerCoding, "layer"> {
  let left = 0;
  for (const value of data) if (value !== 0) left++;
  const values = coded.content.form === "symbols" ? coded.content.table.length : 0;
  const weights = sizeOf(coded.shape);
  return { shape: coded.shape, weights, density: left / data.length, values, ...sizesOf(storedOf(coded)) };
}

function sizesOf({ content, storedBytes, shape }: CodedTensor): CodeSizes {
  const bytes = storedBytes;
  if (content.form === "symbols") return { bytes, ...codesOf(content.symbols(), content.table.length, shape) };
  if (content.form === "steps") return sum(bytes, sizesOf(content.high), sizesOf(content.low));
  if (content.form === "sparse") return sum(bytes, codesOf(content.positions(), 2, shape), sizesOf(content.values));
  return { bytes, entropyBytes: bytes, modelBytes: bytes, huffmanBytes: bytes };
}

const sum = (bytes: number, a: Omit<CodeSizes, "bytes">, b: Omit<CodeSizes, "bytes">): CodeSizes => ({
  bytes,
  entropyBytes: a.entropyBytes + b.entropyBytes,
  modelBytes: a.modelBytes + b.modelBytes,
  huffmanBytes: a.huffmanBytes + b.huffmanBytes,
});

function codesOf(symbols: Uint8Array, alphabet: number, shape: readonly number[]): Omit<CodeSizes, "bytes"> {
  const stream = { alphabet, row: sizeOf(shape) / (shape[0] || 1) };
  return {
    entropyBytes: Math.ceil(entropyBits(symbols) / 8),
    modelBytes: Math.ceil(idealBits(encodeSymbols(symbols, stream), symbols, stream) / 8),
    huffmanBytes: encodeHuffman(symbols, alphabet).length,
  };
}
