/**
 * Reads `.pare` files; `docs/format.md` is their byte table. Ships to browsers: no dependency, no node module. Nothing is
 * allocated before what the file says is known to fit the limit, and no byte is read outside the file. Decoders are given, since few
 * files of plain floats need any.
 */
import type { Decoder, Decoders } from "../codec/decoders.ts";
import type { Attribute } from "../graph/attributes.ts";
import { allocate, type DType, type TypedArray, viewBytes } from "../tensor/dtype.ts";
import { NetpareError } from "../tensor/error.ts";
import { fromFloat16, fromFloat16Bytes } from "../tensor/half.ts";
import { checksum } from "./_checksum.ts";
import {
  attributeKinds,
  type CodedTensor,
  type Content,
  fileDtypes,
  forms,
  frequencyLimit,
  headBytes,
  magic,
  type Port,
  type Program,
  type ProgramDim,
  type ProgramNode,
  rankLimit,
  type SymbolCoder,
  type SymbolContent,
  structureLimit,
  symbolCoders,
  tableKinds,
  version,
} from "./program.ts";

export type { Attribute } from "../graph/attributes.ts";
export type * from "./program.ts";

export interface ReadLimits {
  /** Most bytes that the constants may decode to; 1 GiB where left out. */
  readonly decodedBytes?: number;
}

const defaultDecodedBytes = 2 ** 30;

/** The error of a file that cannot be read. */
export function badFile(message: string): NetpareError {
  return new NetpareError("bad-model", `.pare file: ${message}`);
}

/**
 * Reads a file. Constants are decoded when they are asked for, and `decoders` are not asked for before, unless the file `isCoded`.
 * @throws NetpareError `bad-model` where it is none, of a later version, damaged or too large.
 */
export function readWith(
  file: Uint8Array,
  decoders: () => Partial<Decoders>,
  { decodedBytes = defaultDecodedBytes }: ReadLimits = {},
): Program {
  const { plain, stored, at } = readHead(file);
  const find = (coder: SymbolCoder) => {
    const decoder = decoders()[coder];
    if (decoder === undefined) throw badFile(`its symbols are coded as ${coder}, which this reader leaves out`);
    return decoder;
  };
  const structure = plain === stored.length ? stored : find("adaptive")(stored, plain, 256, 1);
  return new Structure(structure, file, at, decodedBytes, find).program();
}

/**
 * Whether the structure of a file has to be decoded.
 * @throws NetpareError `bad-model` where it is no file, of a later version, or damaged.
 */
export function isCoded(file: Uint8Array): boolean {
  const { plain, stored } = readHead(file, false);
  return plain !== stored.length;
}

function readHead(file: Uint8Array, checks = true) {
  if (magic.some((byte, i) => file[i] !== byte)) throw badFile("it does not begin with PARE; is it one?");
  if (file.length <= headBytes) throw badFile("it is cut off");
  const found = file[headBytes]!;
  if (found > version)
    throw badFile(`its version is ${found}, this reader knows version ${version}; use a later netpare`);
  if (found !== version) throw badFile(`there is no version ${found}`);
  const head = new DataView(file.buffer, file.byteOffset);
  if (checks && head.getUint32(magic.length, true) !== checksum(file.subarray(headBytes)))
    throw badFile("its checksum does not hold; it is damaged or cut off");
  const from = new Cursor(file, headBytes + 1);
  const plain = from.size();
  if (plain > structureLimit) throw badFile(`its structure says it has ${plain} bytes`);
  const stored = from.bytes(from.size());
  return { plain, stored, at: from.at };
}

/** A place in bytes. */
class Cursor {
  constructor(
    readonly data: Uint8Array,
    public at = 0,
  ) {}

  byte(): number {
    if (this.at >= this.data.length) throw badFile("it ends too early");
    return this.data[this.at++]!;
  }

  /** An unsigned integer below 2^53, seven bits a byte, low bits first. */
  size(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (value > Number.MAX_SAFE_INTEGER || factor > 2 ** 49) throw badFile("a number is too large");
      if (byte < 128) return value;
    }
  }

  /** A signed integer: 0, -1, 1, -2, … */
  integer(): number {
    const value = this.size();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** How many follow, each of a byte or more. */
  count(most = Number.POSITIVE_INFINITY): number {
    const count = this.size();
    if (count > Math.min(most, this.data.length - this.at)) throw badFile(`it says ${count} follow where fewer can`);
    return count;
  }

  bytes(length: number): Uint8Array {
    if (length > this.data.length - this.at) throw badFile("it ends too early");
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  float(): number {
    return viewBytes("float32", this.bytes(4).slice())[0]!;
  }

  list<T>(read: () => T, most?: number): T[] {
    return Array.from({ length: this.count(most) }, read);
  }

  one<T>(of: readonly T[], what: string): T {
    const at = this.size();
    if (at >= of.length) throw badFile(`${what} ${at} is unknown`);
    return of[at]!;
  }
}

class Structure {
  private readonly from: Cursor;
  private readonly streams: Cursor;
  private texts: readonly string[] = [];

  constructor(
    structure: Uint8Array,
    file: Uint8Array,
    streamsAt: number,
    private decodable: number,
    private readonly find: (coder: SymbolCoder) => Decoder,
  ) {
    this.from = new Cursor(structure);
    this.streams = new Cursor(file, streamsAt);
  }

  program(): Program {
    const { from } = this;
    const utf8 = new TextDecoder();
    this.texts = from.list(() => utf8.decode(from.bytes(from.size())));
    const metadata = new Map(from.list(() => [this.text(), this.text()] as const));
    const opset = from.size();
    const values = from.list(() => ({
      dtype: from.one(fileDtypes, "element type"),
      dims: from.list((): ProgramDim => {
        const dim = from.size();
        return { size: Math.floor(dim / 2), perImage: dim % 2 === 1 };
      }, rankLimit),
    }));
    const value = (least = 0) => {
      const at = from.size() - 1;
      if (at < least || at >= values.length) throw badFile(`value ${at} does not exist`);
      return at;
    };
    const port = (): Port => ({ name: this.text(), value: value() });
    const [inputs, outputs] = [from.list(port), from.list(port)];
    const nodes = from.list(
      (): ProgramNode => ({
        op: this.text(),
        domain: this.text(),
        inputs: from.list(() => value(-1)),
        outputs: from.list(() => value(-1)),
        attributes: Object.fromEntries(from.list(() => [this.text(), this.attribute()])),
      }),
    );
    const tensors = new Map(
      from.list(() => {
        const at = value();
        const { dtype, dims } = values[at]!;
        if (dims.some(({ perImage }) => perImage)) throw badFile(`constant ${at} has the batch as a dimension`);
        return [
          at,
          this.tensor(
            dtype,
            dims.map(({ size }) => size),
          ),
        ] as const;
      }),
    );
    return { metadata, opset, values, inputs, outputs, nodes, tensors };
  }

  private text(): string {
    return this.from.one(this.texts, "text");
  }

  private attribute(): Attribute {
    const { from } = this;
    const kind = from.one(attributeKinds, "kind of attribute");
    switch (kind) {
      case "int":
        return { kind, value: from.integer() };
      case "ints":
        return { kind, value: from.list(() => from.integer()) };
      case "float":
        return { kind, value: from.float() };
      case "floats":
        return { kind, value: from.list(() => from.float()) };
      case "string":
        return { kind, value: this.text() };
      case "strings":
        return { kind, value: from.list(() => this.text()) };
    }
  }

  /** Of the first `formCount` forms: forms stand in later ones alone, or they would in one another as deep as bytes last. */
  private tensor(dtype: DType, shape: readonly number[], formCount: number = forms.length): CodedTensor {
    const count = shape.reduce((product, size) => product * size, 1);
    this.decodable -= count * allocate(dtype, 0).BYTES_PER_ELEMENT;
    if (!(this.decodable >= 0)) throw badFile("its constants are larger than the limit; raise it if they should be");
    const begun = this.streams.at;
    const { content, decode } = this.content(dtype, count, shape, formCount);
    return { dtype, shape, content, decode, storedBytes: this.streams.at - begun };
  }

  private content(
    dtype: DType,
    count: number,
    shape: readonly number[],
    formCount: number,
  ): { content: Content; decode: () => TypedArray } {
    const form = this.from.one(forms.slice(0, formCount), "form");
    const row = count / (shape[0] || 1);
    if (form === "float16" && dtype !== "float32") throw badFile(`${dtype} as float16`);
    switch (form) {
      case "raw": {
        const bytes = this.streams.bytes(count * allocate(dtype, 0).BYTES_PER_ELEMENT);
        return { content: { form, bytes }, decode: () => viewBytes(dtype, bytes.slice()) };
      }
      case "float16": {
        const bytes = this.streams.bytes(2 * count);
        return { content: { form, bytes }, decode: () => fromFloat16Bytes(bytes) };
      }
      case "symbols":
        return this.symbolContent(dtype, count, row);
      case "sparse": {
        const { symbols: positions } = this.symbols(count, 2, row);
        const values = this.tensor(dtype, [this.from.size()], forms.indexOf(form));
        const decode = () => scatter(allocate(dtype, count), positions(), values.decode());
        return { content: { form, positions, values }, decode };
      }
      case "hashed":
        return this.hashedContent(dtype, shape);
      case "steps":
        return this.stepsContent(dtype, shape);
    }
  }

  private hashedContent(dtype: DType, shape: readonly number[]) {
    const { from } = this;
    const form = "hashed" as const;
    const seed = from.size();
    const isFrequency = from.size() > 0;
    const counts = from.list(() => from.size());
    const [rows = 0, columns = 0] = shape.slice(-2);
    const isLarge = isFrequency && !(Math.max(rows, columns) <= frequencyLimit && shape.length > 1);
    if (dtype !== "float32" || seed >= 2 ** 32 || counts.length === 0 || counts.includes(0) || isLarge)
      throw badFile(`${dtype} of [${shape}] by a hash`);
    const values = this.tensor(dtype, [counts.reduce((a, b) => a + b)], forms.indexOf(form));
    const decode = (): TypedArray => {
      throw badFile("a hash makes its constants, which this reader leaves out");
    };
    return { content: { form, seed, counts, isFrequency, values }, decode };
  }

  private stepsContent(dtype: DType, shape: readonly number[]) {
    const form = "steps" as const;
    const [step, range] = [this.from.float(), this.from.size()];
    if (dtype !== "float32" || range > 256) throw badFile(`${dtype} in ${range} steps`);
    const part = (of: DType) => this.tensor(of, shape, forms.indexOf(form));
    const [high, low] = [part("int16"), part("uint8")];
    const decode = () => {
      const [steps, rest] = [high.decode() as Int16Array, low.decode() as Uint8Array];
      return Float32Array.from(steps, (value, i) => step * (range * value + rest[i]!));
    };
    return { content: { form, step, range, high, low }, decode };
  }

  private symbolContent(dtype: DType, count: number, row: number) {
    const { from } = this;
    const kind = from.one(tableKinds, "kind of table");
    const length = from.count();
    if (length === 0 || length > 256) throw badFile(`a table of ${length} values`);
    const step = kind === "multiples" ? from.float() : 1;
    let last = 0;
    const table = Array.from({ length }, () => {
      if (kind === "float32") return from.float();
      if (kind === "float16") return fromFloat16(from.byte() + 256 * from.byte());
      last += from.integer();
      return kind === "multiples" ? Math.fround(step * last) : last;
    });
    if ((dtype === "int64" || dtype === "uint64") && !table.every(Number.isInteger))
      throw badFile(`a table of ${dtype}`);
    const scaleCount = from.count();
    const scales = scaleCount === 0 ? undefined : viewBytes("float32", from.bytes(4 * scaleCount).slice());
    if (scales && scales.length * row !== count) throw badFile(`${scales.length} scales for ${count / row} rows`);
    const { coder, symbols } = this.symbols(count, length, row);
    const decode = () => {
      const coded = symbols();
      const out = allocate(dtype, count);
      if (out instanceof BigInt64Array || out instanceof BigUint64Array)
        for (let i = 0; i < count; i++) out[i] = BigInt(table[coded[i]!]!);
      else for (let i = 0; i < count; i++) out[i] = table[coded[i]!]! * (scales ? scales[Math.floor(i / row)]! : 1);
      return out;
    };
    return { content: { form: "symbols" as const, table, scales, coder, symbols }, decode };
  }

  /** A stream of `count` symbols below `alphabet`. */
  private symbols(count: number, alphabet: number, row: number): Pick<SymbolContent, "coder" | "symbols"> {
    const coder = this.from.one(symbolCoders, "coder");
    const bytes = this.streams.bytes(this.from.size());
    if (alphabet === 1 && bytes.length === 0) return { coder, symbols: () => new Uint8Array(count) };
    const symbols = () => {
      const symbols = this.find(coder)(bytes, count, alphabet, row);
      for (let i = 0; i < count; i++) if (symbols[i]! >= alphabet) throw badFile("a symbol is not in its table");
      return symbols;
    };
    return { coder, symbols };
  }
}

function scatter(out: TypedArray, positions: Uint8Array, values: TypedArray): TypedArray {
  let next = 0;
  for (let i = 0; i < positions.length; i++) next += positions[i]!;
  if (next !== values.length) throw badFile(`${values.length} values for ${next} places`);
  next = 0;
  for (let i = 0; i < positions.length; i++) if (positions[i]) out[i] = values[next++] as never;
  return out;
}
