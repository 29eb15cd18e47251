/**
 * What a `.pare` file holds, as plain data: a graph of ONNX operators whose values are numbers, and its constants as they are coded.
 * Every dimension is a constant, or a multiple of the batch.
 */
import type { Attributes } from "../graph/attributes.ts";
import type { DType, TypedArray } from "../tensor/dtype.ts";

/** A dimension: `size`, or `size` for each image of the batch. */
export interface ProgramDim {
  readonly size: number;
  readonly perImage: boolean;
}

export interface ProgramValue {
  readonly dtype: DType;
  readonly dims: readonly ProgramDim[];
}

/** An operator on values by their numbers; -1 is an absent optional one. */
export interface ProgramNode {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attributes: Attributes;
}

/** A value that comes in or goes out, and what it is called. */
export interface Port {
  readonly name: string;
  readonly value: number;
}

/** A constant. */
export interface CodedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly content: Content;
  /** Bytes of its streams in the file. */
  readonly storedBytes: number;
  /** The elements; each call decodes anew. @throws where a hash makes them, which src/runtime/make-hashed.ts does. */
  readonly decode: () => TypedArray;
}

/** In which form the elements of a constant are in the file. */
export type Content =
  /** The elements as they are in memory, or of binary32 as binary16. */
  | { readonly form: "raw" | "float16"; readonly bytes: Uint8Array }
  | SymbolContent
  /** Where the elements other than 0 are, and what they are. */
  | { readonly form: "sparse"; readonly positions: () => Uint8Array; readonly values: CodedTensor }
  | (Hash & { readonly form: "hashed"; readonly values: CodedTensor })
  | StepsContent;

/** How few values make a constant (src/tensor/hash.ts). */
export interface Hash {
  readonly seed: number;
  /** Values of each group of elements. */
  readonly counts: readonly number[];
  /** Whether what they make are the frequencies of the last two axes (src/tensor/inverse-dct.ts). */
  readonly isFrequency: boolean;
}

/** Element i is `table[symbols[i]]`, times the scale of its place on the first axis where there are scales. */
export interface SymbolContent {
  readonly form: "symbols";
  readonly table: readonly number[];
  readonly scales: Float32Array | undefined;
  readonly coder: SymbolCoder;
  readonly symbols: () => Uint8Array;
}

/** Whole numbers of a step, too many for one table: element i is `step * (range * high[i] + low[i])`. */
export interface StepsContent {
  readonly form: "steps";
  readonly step: number;
  readonly range: number;
  readonly high: CodedTensor;
  readonly low: CodedTensor;
}

/** A file's content; `T` is how its constants are held. */
export interface Program<T = CodedTensor> {
  readonly metadata: ReadonlyMap<string, string>;
  readonly opset: number;
  readonly values: readonly ProgramValue[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** In an order in which they can run. */
  readonly nodes: readonly ProgramNode[];
  /** Constants by the number of their value. */
  readonly tensors: ReadonlyMap<number, T>;
}

/** The first bytes of a file: "PARE". */
export const magic = [0x50, 0x41, 0x52, 0x45] as const;

/** The version that this code writes, and the latest that it reads. */
export const version = 1;

/** Bytes before what the checksum covers: magic, checksum. */
export const headBytes = 8;

/** Most bytes of the part that says what the file holds. */
export const structureLimit = 2 ** 22;

/** Most dimensions of a value. */
export const rankLimit = 16;

/** Element types by their numbers in the file. */
export const fileDtypes: readonly DType[] = [
  "float32",
  "int64",
  "int8",
  "uint8",
  "int32",
  "bool",
  "float16",
  "float64",
  "int16",
  "uint16",
  "uint32",
  "uint64",
  "bfloat16",
];

/** Attribute kinds by their numbers in the file. */
export const attributeKinds = ["int", "ints", "float", "floats", "string", "strings"] as const;

/** Forms of constants by their numbers in the file. */
export const forms = ["raw", "float16", "symbols", "steps", "sparse", "hashed"] as const;

/** Longest side of what is held by its frequencies: its decoding takes as many multiplications an element as a map has elements. */
export const frequencyLimit = 8;

/** How symbols are coded, by number. */
export const symbolCoders = ["packed", "adaptive", "huffman"] as const;
export type SymbolCoder = (typeof symbolCoders)[number];

/** How a table of symbols is written, by number. */
export const tableKinds = ["integers", "float16", "float32", "multiples"] as const;

/** Bits of a packed symbol. */
export const symbolBits = (alphabet: number): number => Math.max(1, 32 - Math.clz32(alphabet - 1));
