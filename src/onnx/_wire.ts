/**
 * Protobuf messages as spans of bytes: what is understood is decoded, what is not is kept exactly as it stood.
 * Every message of the format is a list of (tag, value); concatenating two messages merges them.
 */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { BinaryReader, type BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { NetpareError } from "../tensor/error.ts";

/** Where a field stands in its message: tag and value [from, end), the value alone (of bytes: the payload) [at, end). */
export interface Field {
  readonly no: number;
  readonly wire: WireType;
  readonly from: number;
  readonly at: number;
  readonly end: number;
}

/** A `bad-model` error about the part of a model called `what`. */
export function malformed(what: string, why: string): NetpareError {
  return new NetpareError("bad-model", `${what}: ${why}`);
}

/**
 * The fields of a message, in order.
 * @throws NetpareError `bad-model` where the bytes are not a message.
 */
export function* fieldsOf(message: Uint8Array, what: string): Generator<Field> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) yield nextField(reader, what);
}

function nextField(reader: BinaryReader, what: string): Field {
  const from = reader.pos;
  try {
    const [no, wire] = reader.tag();
    let at = reader.pos;
    if (wire === WireType.LengthDelimited) {
      const length = reader.uint32();
      at = reader.pos;
      if (length > reader.len - at)
        throw new RangeError(`field ${no} wants ${length} bytes, ${reader.len - at} are left`);
      reader.pos += length;
    } else reader.skip(wire, no);
    return { no, wire, from, at, end: reader.pos };
  } catch (error) {
    throw malformed(what, `not a protobuf message at byte ${from} (${reasonOf(error)}); is the file damaged?`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The payload of a field that holds bytes. */
export function bodyOf(message: Uint8Array, field: Field, what: string): Uint8Array {
  if (field.wire !== WireType.LengthDelimited)
    throw malformed(what, `field ${field.no} has wire type ${field.wire}, expected ${WireType.LengthDelimited}`);
  return message.subarray(field.at, field.end);
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The payload of a field that holds text. */
export function textOf(message: Uint8Array, field: Field, what: string): string {
  const body = bodyOf(message, field, what);
  const text = decodeText(body);
  if (text === undefined) throw malformed(what, `field ${field.no} is not valid UTF-8`);
  return text;
}

/** `bytes` as UTF-8, undefined where they are not. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The value of a field that holds one integer. */
export function integerOf(message: Uint8Array, field: Field, what: string): bigint {
  if (field.wire !== WireType.Varint)
    throw malformed(what, `field ${field.no} has wire type ${field.wire}, expected ${WireType.Varint}`);
  return attempt(what, () => BigInt(new BinaryReader(message.subarray(field.at, field.end)).int64()));
}

/** The value of a field that holds one integer, as a 32-bit enumeration. */
export function enumOf(message: Uint8Array, field: Field, what: string): number {
  return Number(BigInt.asIntN(32, integerOf(message, field, what)));
}

/** Runs a decoder and turns what it throws into a `bad-model` error. */
export function attempt<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof NetpareError) throw error;
    throw malformed(what, `not readable (${reasonOf(error)}); is the file damaged?`);
  }
}

/** A whole small message, through its schema. */
export function decodeMessage<S extends DescMessage>(schema: S, bytes: Uint8Array, what: string): MessageShape<S> {
  return attempt(what, () => fromBinary(schema, bytes));
}

/** Gathers spans of bytes; spans that touch stay a view of the message they come from. */
export class Spans {
  private view: Uint8Array | undefined;
  private grown: Uint8Array | undefined;
  private length = 0;

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** Adds `message[from, end)`. */
  add(message: Uint8Array, from: number, end: number): void {
    const start = message.byteOffset + from;
    if (this.length === 0) this.view = message.subarray(from, end);
    else if (this.view?.buffer === message.buffer && this.view.byteOffset + this.length === start)
      this.view = new Uint8Array(message.buffer, this.view.byteOffset, this.length + end - from);
    else this.copy(message.subarray(from, end));
    this.length += end - from;
  }

  /** Adds a field with its tag. */
  field(message: Uint8Array, field: Field): void {
    this.add(message, field.from, field.end);
  }

  private copy(span: Uint8Array): void {
    const wanted = this.length + span.length;
    if (this.grown === undefined || this.grown.length < wanted) {
      const next = new Uint8Array(wanted * 2);
      next.set((this.grown ?? this.view)!.subarray(0, this.length));
      this.grown = next;
      this.view = undefined;
    }
    this.grown.set(span, this.length);
  }

  /** What was gathered. */
  bytes(): Uint8Array {
    return this.grown?.subarray(0, this.length) ?? this.view ?? new Uint8Array();
  }
}

/** A field that holds `body`, with its tag. */
export function writeField(writer: BinaryWriter, no: number, body: Uint8Array): void {
  writer.tag(no, WireType.LengthDelimited).bytes(body);
}

/** A field that holds text, left out where it is empty. */
export function writeText(writer: BinaryWriter, no: number, text: string): void {
  if (text !== "") writer.tag(no, WireType.LengthDelimited).string(text);
}

/** Whether two byte arrays are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
