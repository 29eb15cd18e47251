/**
 * AttributeProto to and from Attribute.
 * A value that our kinds hold is decoded; where writing it again would give other bytes, those are kept in `encoded`.
 * Everything else (sub-graphs, references of functions, integers beyond 2^53, unknown types) is `opaque`: its bytes.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Attribute } from "../graph/attributes.ts";
import { viewBytes } from "../tensor/dtype.ts";
import { bytesOf, type Tensor } from "../tensor/tensor.ts";
import { type ExternalData, externalData } from "./_external.ts";
import { decodeTensor, encodeTensor } from "./_tensor.ts";
import { attributeTypes } from "./_types.ts";
import {
  attempt,
  bodyOf,
  decodeText,
  enumOf,
  fieldsOf,
  integerOf,
  malformed,
  Spans,
  sameBytes,
  textOf,
  writeField,
  writeText,
} from "./_wire.ts";
import { AttributeProtoSchema } from "./onnx_pb.ts";

const utf8 = new TextEncoder();

const no = { name: 1, f: 2, i: 3, s: 4, t: 5, floats: 7, ints: 8, strings: 9, doc: 13, type: 20 };

/** The field in which each kind's value stands. */
const valueFields = new Map<number, number>([
  [attributeTypes.float, no.f],
  [attributeTypes.int, no.i],
  [attributeTypes.string, no.s],
  [attributeTypes.tensor, no.t],
  [attributeTypes.floats, no.floats],
  [attributeTypes.ints, no.ints],
  [attributeTypes.strings, no.strings],
]);

interface Parts {
  name: string;
  type: number;
  f: number;
  i: bigint;
  s: Uint8Array;
  t: Uint8Array | undefined;
  readonly floats: Spans;
  readonly ints: Spans;
  readonly strings: Uint8Array[];
  /** Value fields that occur. */
  readonly present: Set<number>;
  /** Whether there is a field that decides the value and is none of ours. */
  foreign: boolean;
}

/**
 * Reads one attribute.
 * @throws NetpareError `bad-model`.
 */
export function decodeAttribute(
  message: Uint8Array,
  what: string,
  external: ExternalData,
): { readonly name: string; readonly attribute: Attribute } {
  const parts = attempt(what, () => collect(message, what));
  const label = `${what}, attribute '${parts.name}'`;
  if (parts.name === "") throw malformed(what, "has an attribute without a name");
  const opaque = (value: Uint8Array): Attribute => ({ kind: "opaque", value });
  if (parts.foreign) return { name: parts.name, attribute: opaque(message) };
  const type = parts.type === 0 ? typeOfOnly(parts.present) : parts.type;
  if (type === attributeTypes.tensor)
    return { name: parts.name, attribute: tensorValue(parts, message, label, external) };
  const value = attempt(label, () => plainValue(type, parts));
  if (value === undefined) return { name: parts.name, attribute: opaque(message) };
  const same = sameBytes(encodeAttribute(parts.name, value), message);
  return { name: parts.name, attribute: same ? value : { ...value, encoded: message } };
}

function collect(message: Uint8Array, what: string): Parts {
  const parts: Parts = {
    name: "",
    type: 0,
    f: 0,
    i: 0n,
    s: new Uint8Array(),
    t: undefined,
    floats: new Spans(),
    ints: new Spans(),
    strings: [],
    present: new Set(),
    foreign: false,
  };
  for (const field of fieldsOf(message, what)) {
    if (field.no === no.name) parts.name = textOf(message, field, what);
    else if (field.no === no.type) parts.type = enumOf(message, field, what);
    else if (field.no === no.f) parts.f = viewBytes("float32", message.slice(field.at, field.end))[0] ?? 0;
    else if (field.no === no.i) parts.i = integerOf(message, field, what);
    else if (field.no === no.s) parts.s = bodyOf(message, field, what);
    else if (field.no === no.t) parts.t = bodyOf(message, field, what);
    else if (field.no === no.floats) parts.floats.add(message, field.at, field.end);
    else if (field.no === no.ints) parts.ints.add(message, field.at, field.end);
    else if (field.no === no.strings) parts.strings.push(bodyOf(message, field, what));
    else if (field.no !== no.doc) parts.foreign = true;
    if (field.no !== no.name && field.no !== no.type && field.no !== no.doc) parts.present.add(field.no);
  }
  return parts;
}

/** Old writers left the type out: the one value field there is tells it. */
function typeOfOnly(present: ReadonlySet<number>): number {
  if (present.size !== 1) return 0;
  for (const [type, field] of valueFields) if (present.has(field)) return type;
  return 0;
}

function plainValue(type: number, parts: Parts): Attribute | undefined {
  const field = valueFields.get(type);
  for (const other of parts.present) if (other !== field) return undefined;
  switch (type) {
    case attributeTypes.float:
      return { kind: "float", value: parts.f };
    case attributeTypes.int: {
      const value = Number(parts.i);
      return Number.isSafeInteger(value) ? { kind: "int", value } : undefined;
    }
    case attributeTypes.string: {
      const value = decodeText(parts.s);
      return value === undefined ? undefined : { kind: "string", value };
    }
    case attributeTypes.floats:
      return { kind: "floats", value: Array.from(viewBytes("float32", parts.floats.bytes().slice())) };
    case attributeTypes.ints: {
      const value = readInts(parts.ints.bytes());
      return value.every(Number.isSafeInteger) ? { kind: "ints", value } : undefined;
    }
    case attributeTypes.strings: {
      const value = parts.strings.map(decodeText);
      return value.every((text) => text !== undefined) ? { kind: "strings", value } : undefined;
    }
    default:
      return undefined;
  }
}

function readInts(payload: Uint8Array): number[] {
  const reader = new BinaryReader(payload);
  const values: number[] = [];
  while (reader.pos < reader.len) values.push(Number(reader.int64()));
  return values;
}

function tensorValue(parts: Parts, message: Uint8Array, label: string, external: ExternalData): Attribute {
  const t = parts.t ?? new Uint8Array();
  const decoded = decodeTensor(t, label, external);
  if (decoded.tensor === undefined)
    return { kind: "opaque", value: decoded.external ? tensorMessage(parts.name, decoded.message) : message };
  const value: Attribute = { kind: "tensor", value: decoded.tensor };
  // The message of external data names a file that the model written next will not have beside it.
  if (decoded.external || sameBytes(encodeAttribute(parts.name, value), message)) return value;
  return { ...value, encoded: message };
}

/** An attribute `name` that holds the tensor whose message is `t`. */
export function tensorMessage(name: string, t: Uint8Array): Uint8Array {
  const writer = new BinaryWriter();
  writeText(writer, no.name, name);
  writeField(writer, no.t, t);
  return writer.tag(no.type, WireType.Varint).int32(attributeTypes.tensor).finish();
}

/** The AttributeProto of one attribute. */
export function encodeAttribute(name: string, attribute: Attribute): Uint8Array {
  if (attribute.kind === "opaque") return attribute.value;
  if (attribute.encoded !== undefined && stillSays(attribute.encoded, name, attribute)) return attribute.encoded;
  if (attribute.kind === "tensor") return tensorMessage(name, encodeTensor("", attribute.value));
  return toBinary(AttributeProtoSchema, create(AttributeProtoSchema, { name, ...protoOf(attribute) }));
}

function protoOf(attribute: Exclude<Attribute, { kind: "opaque" | "tensor" }>) {
  const types = attributeTypes;
  switch (attribute.kind) {
    case "int":
      return { type: types.int, i: BigInt(attribute.value) };
    case "float":
      return { type: types.float, f: Math.fround(attribute.value) };
    case "string":
      return { type: types.string, s: utf8.encode(attribute.value) };
    case "ints":
      return { type: types.ints, ints: attribute.value.map(BigInt) };
    case "floats":
      return { type: types.floats, floats: attribute.value.map(Math.fround) };
    case "strings":
      return { type: types.strings, strings: attribute.value.map((text) => utf8.encode(text)) };
  }
}

function stillSays(encoded: Uint8Array, name: string, attribute: Attribute): boolean {
  const again = decodeAttribute(encoded, name, externalData(undefined));
  return again.name === name && sameValue(again.attribute, attribute);
}

/** Whether two attributes hold the same value, whatever way it was written. */
export function sameValue(a: Attribute, b: Attribute): boolean {
  if (a.kind === "tensor") return b.kind === "tensor" && sameTensor(a.value, b.value);
  if (a.kind === "opaque") return b.kind === "opaque" && sameBytes(a.value, b.value);
  if (Array.isArray(a.value)) {
    const other: unknown = b.value;
    return (
      a.kind === b.kind &&
      Array.isArray(other) &&
      a.value.length === other.length &&
      a.value.every((v, i) => Object.is(v, other[i]))
    );
  }
  return a.kind === b.kind && Object.is(a.value, b.value);
}

function sameTensor(a: Tensor, b: Tensor): boolean {
  return a.dtype === b.dtype && `${a.shape}` === `${b.shape}` && sameBytes(bytesOf(a), bytesOf(b));
}
