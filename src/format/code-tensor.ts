/**
 * Finds the cheapest exact coding of a constant from its values alone, whatever method left them: a codebook has few distinct
 * values, a pruned tensor zeros, a binarized one a single magnitude a row. Exact means equal bit by bit, -0 and NaN included.
 */
import { encodeHuffman } from "../codec/huffman-encoder.ts";
import { packBits } from "../codec/packed-bits.ts";
import { encodeSymbols } from "../codec/symbols-encoder.ts";
import type { DType, TypedArray } from "../tensor/dtype.ts";
import { fromFloat16, toFloat16 } from "../tensor/half.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ByteWriter } from "./_bytes.ts";
import { forms, type Hash, symbolBits, symbolCoders, tableKinds } from "./program.ts";

/** A constant as it is written. */
export interface TensorCode {
  /** What the structure says of it. */
  readonly record: Uint8Array;
  /** Its streams. */
  readonly streams: Uint8Array;
}

/** Symbols that stand for values, and what each is. */
interface Codebook {
  readonly table: readonly number[];
  readonly symbols: Uint8Array;
  /** By row. */
  readonly scales?: Float32Array<ArrayBuffer>;
}

const tableLimit = 256;

/** The shortest of the codings that fit. */
export function codeTensor({ dtype, shape, data }: Tensor): TensorCode {
  const row = sizeOf(shape) / (shape[0] || 1);
  const codings = [raw(data), float16(dtype, data)];
  const book = codebookOf(dtype, data);
  if (book) codings.push(coded(book, row));
  const scaled = rowMultiples(dtype, data, row);
  if (scaled) codings.push(coded(scaled, row));
  if (!book) codings.push(sparse(dtype, data, row), ...manySteps(dtype, data, shape));
  const length = (code: TensorCode) => code.record.length + code.streams.length;
  return codings
    .filter((code) => code !== undefined)
    .reduce((best, code) => (length(code) < length(best) ? code : best));
}

function raw(data: TypedArray): TensorCode {
  return { record: start("raw").result(), streams: bytesOf(data) };
}

/** Half the bytes, where each element is a number of binary16; a NaN would lose its bits. */
function float16(dtype: DType, data: TypedArray): TensorCode | undefined {
  if (dtype !== "float32") return undefined;
  const halves = new Uint16Array(data.length);
  for (let i = 0; i < halves.length; i++) {
    const value = Number(data[i]);
    halves[i] = toFloat16(value);
    if (Number.isNaN(value) || !Object.is(fromFloat16(halves[i]!), value)) return undefined;
  }
  return { record: start("float16").result(), streams: bytesOf(halves) };
}

/** Up to 256 distinct values: the most frequent first, which coders treat apart, the others in ascending order. */
function codebookOf(dtype: DType, data: TypedArray): Codebook | undefined {
  if (dtype === "bfloat16" || dtype === "float16" || data.length === 0) return undefined;
  if (dtype === "float64" && !(data as Float64Array).every(Number.isSafeInteger)) return undefined;
  const counts = new Map<number | bigint, number>();
  const keys = keysOf(data);
  for (let i = 0; i < keys.length; i++) {
    counts.set(keys[i]!, (counts.get(keys[i]!) ?? 0) + 1);
    if (counts.size > tableLimit) return undefined;
  }
  const value = (key: number | bigint) => Number(keyValue(data, key));
  if ([...counts.keys()].some((key) => Number.isNaN(value(key)))) return undefined;
  if (isBig(data) && [...counts.keys()].some((key) => !Number.isSafeInteger(Number(key)))) return undefined;
  const [first] = [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  const rest = [...counts.keys()].filter((key) => key !== first).sort((a, b) => value(a) - value(b));
  const order = new Map([first, ...rest].map((key, symbol) => [key, symbol]));
  return { table: [...order.keys()].map(value), symbols: Uint8Array.from(keys, (key) => order.get(key)!) };
}

/** Rows that are small integers times one number each, its scale: signs, or steps that a batch norm has stretched. */
function rowMultiples(dtype: DType, data: TypedArray, row: number): Codebook | undefined {
  if (dtype !== "float32" || row < 2 || data.length === 0) return undefined;
  const scales = new Float32Array(data.length / row);
  const factors = new Int8Array(data.length);
  for (const r of scales.keys()) {
    const values = (data as Float32Array).subarray(r * row, (r + 1) * row);
    const step = stepOf(values, rowMultiple);
    if (step === undefined) return undefined;
    scales[r] = step;
    for (const [i, value] of values.entries()) factors[r * row + i] = Math.round(value / step);
  }
  const book = codebookOf("int8", factors);
  return book && { ...book, scales };
}

/** Whole numbers of a step, more of them than a table holds: what a table tells apart, and the few bits that are nearly even below. */
function manySteps(dtype: DType, data: TypedArray, shape: readonly number[]): TensorCode[] {
  const step = dtype === "float32" && data.length > 0 ? stepOf(data as Float32Array, mostSteps) : undefined;
  if (step === undefined) return [];
  const steps = Int16Array.from(data as Float32Array, (value) => Math.round(value / step));
  return [4, 16, 64, 256].flatMap((range) => {
    const high = steps.map((value) => Math.floor(value / range));
    if (new Set(high).size > tableLimit) return [];
    const low = Uint8Array.from(steps, (value, i) => value - range * high[i]!);
    const parts = [codeTensor({ dtype: "int16", shape, data: high }), codeTensor({ dtype: "uint8", shape, data: low })];
    const out = start("steps");
    out.float(step);
    out.size(range);
    for (const { record } of parts) out.bytes(record);
    return [{ record: out.result(), streams: joined(parts[0]!.streams, parts[1]!.streams) }];
  });
}

/** Where elements are not 0, and those that are not. */
function sparse(dtype: DType, data: TypedArray, row: number): TensorCode | undefined {
  if (dtype === "bfloat16" || dtype === "float16" || isBig(data)) return undefined;
  const places = new Uint8Array(data.length);
  for (let i = 0; i < places.length; i++) places[i] = Object.is(data[i], 0) ? 0 : 1;
  if (!places.includes(0)) return undefined;
  const values = (data as Float32Array).filter((_, i) => places[i]);
  const out = start("sparse");
  const positions = codeSymbols(out, places, 2, row);
  const inner = codeTensor({ dtype, shape: [values.length], data: values } as Tensor);
  out.size(values.length);
  out.bytes(inner.record);
  return { record: out.result(), streams: joined(positions, inner.streams) };
}

function coded({ table, symbols, scales }: Codebook, row: number): TensorCode {
  const out = start("symbols");
  writeTable(out, table);
  out.size(scales?.length ?? 0);
  if (scales) out.bytes(bytesOf(scales));
  return { streams: codeSymbols(out, symbols, table.length, row), record: out.result() };
}

/** What a hash makes of values that are coded. */
export function codeHashed({ seed, counts, isFrequency }: Hash, { record, streams }: TensorCode): TensorCode {
  const out = start("hashed");
  out.size(seed);
  out.size(isFrequency ? 1 : 0);
  out.list(counts, (count) => out.size(count));
  out.bytes(record);
  return { record: out.result(), streams };
}

function writeTable(out: ByteWriter, table: readonly number[]): void {
  const fewer = table.every(isPlainInteger) || table.filter((value) => value !== 0).length < 2;
  const step = fewer ? undefined : stepOf(table, tableMultiple);
  const kind = step === undefined ? tableKind(table) : "multiples";
  out.size(tableKinds.indexOf(kind));
  let last = 0;
  const writeValue = (value: number) => {
    if (kind === "float32") out.float(value);
    else if (kind === "float16") out.bytes(new Uint8Array(Uint16Array.of(toFloat16(value)).buffer));
    else out.integer(value - last);
    last = value;
  };
  if (step === undefined) out.list(table, writeValue);
  else {
    out.size(table.length);
    out.float(step);
    for (const value of table) writeValue(Math.round(value / step));
  }
}

const isPlainInteger = (value: number) => Number.isSafeInteger(value) && !Object.is(value, -0);

function tableKind(table: readonly number[]): (typeof tableKinds)[number] {
  if (table.every(isPlainInteger)) return "integers";
  return table.every((value) => Object.is(fromFloat16(toFloat16(value)), value)) ? "float16" : "float32";
}

/** Largest multiple of a step: what a row keeps in a byte, what a table is searched for, and what the form `steps` holds. */
const rowMultiple = 127;
const tableMultiple = 1023;
const mostSteps = 2 ** 15 - 1;

/** The binary32 number of which all of `values` are multiples of at most `largest`; 1 for zeros; undefined where there is none. */
function stepOf(values: ArrayLike<number>, largest: number): number | undefined {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > most) most = size;
    if (size > 0 && size < least) least = size;
  }
  if (most === 0) return Array.from(values).every((value) => Object.is(value, 0)) ? 1 : undefined;
  for (let divisor = 1; divisor <= 8 && (most / least) * divisor < largest + 0.5; divisor++) {
    const step = Math.fround(least / divisor);
    if (step > 0 && isMultiple(values, step)) return step;
  }
  return undefined;
}

function isMultiple(values: ArrayLike<number>, step: number): boolean {
  for (let i = 0; i < values.length; i++)
    if (!Object.is(Math.fround(step * (Math.round(values[i]! / step) + 0)), values[i])) return false;
  return true;
}

/** Writes coder and length, and gives the shortest stream. */
function codeSymbols(out: ByteWriter, symbols: Uint8Array, alphabet: number, row: number): Uint8Array {
  const streams = {
    packed: packBits(symbols, symbolBits(alphabet)),
    adaptive: encodeSymbols(symbols, { alphabet, row }),
    huffman: encodeHuffman(symbols, alphabet),
  };
  const coder = symbolCoders.reduce((best, name) => (streams[name].length < streams[best].length ? name : best));
  out.size(symbolCoders.indexOf(coder));
  out.size(streams[coder].length);
  return streams[coder];
}

function start(form: (typeof forms)[number]): ByteWriter {
  const out = new ByteWriter();
  out.size(forms.indexOf(form));
  return out;
}

const isBig = (data: TypedArray) => data instanceof BigInt64Array || data instanceof BigUint64Array;

/** What tells elements apart: their bits. */
function keysOf(data: TypedArray): ArrayLike<number | bigint> & Iterable<number | bigint> {
  if (data instanceof Float32Array) return new Uint32Array(data.buffer, data.byteOffset, data.length);
  if (data instanceof Float64Array) return new BigUint64Array(data.buffer, data.byteOffset, data.length);
  return data;
}

function keyValue(data: TypedArray, key: number | bigint): number | bigint {
  if (data instanceof Float32Array) return new Float32Array(Uint32Array.of(Number(key)).buffer)[0]!;
  if (data instanceof Float64Array) return new Float64Array(BigUint64Array.of(BigInt(key)).buffer)[0]!;
  return key;
}

const bytesOf = (data: TypedArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
