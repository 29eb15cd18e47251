/**
 * TensorProto to and from Tensor. Data are read from `raw_data`, from the typed fields or from external files, and written
 * to `raw_data`. Nothing is allocated before the bytes at hand are known to suffice for the declared shape.
 * Tensors of element types netpare does not compute with (string, complex, 8-bit floats, 4-bit integers) stay bytes.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type ArrayOf, allocate, type DType, elementBytes, viewBytes } from "../tensor/dtype.ts";
import { dtypeOfNumber, elementTypeOf } from "../tensor/element-type.ts";
import { bytesOf, type Tensor, tensor } from "../tensor/tensor.ts";
import type { ExternalData } from "./_external.ts";
import { carriedBits, elementTypeName } from "./_types.ts";
import {
  attempt,
  bodyOf,
  decodeMessage,
  enumOf,
  type Field,
  fieldsOf,
  malformed,
  Spans,
  textOf,
  writeField,
} from "./_wire.ts";
import { StringStringEntryProtoSchema, TensorProtoSchema } from "./onnx_pb.ts";

/** A tensor as it stood in the file. */
export interface DecodedTensor {
  readonly name: string;
  /** Undefined where netpare does not compute with the element type. */
  readonly tensor: Tensor | undefined;
  /** ONNX's number of the element type. */
  readonly elementType: number;
  /** The message, its external data pulled in. */
  readonly message: Uint8Array;
  /** Whether the data came from another file. */
  readonly external: boolean;
  /** Documentation and fields that a Tensor does not hold. */
  readonly extra: Uint8Array;
}

const no = {
  dims: 1,
  dataType: 2,
  segment: 3,
  float: 4,
  int32: 5,
  string: 6,
  int64: 7,
  name: 8,
  raw: 9,
  double: 10,
  uint64: 11,
};
const externalField = 13;
const locationField = 14;

/** The typed field that holds elements of each dtype. */
const typedField = {
  float32: no.float,
  float64: no.double,
  int64: no.int64,
  uint64: no.uint64,
  uint32: no.uint64,
  int32: no.int32,
  int16: no.int32,
  int8: no.int32,
  uint16: no.int32,
  uint8: no.int32,
  bool: no.int32,
  float16: no.int32,
  bfloat16: no.int32,
} as const satisfies Record<DType, number>;

interface Parts {
  name: string;
  elementType: number;
  raw: Uint8Array | undefined;
  external: boolean;
  segment: boolean;
  readonly entries: Map<string, string>;
  readonly dims: Spans;
  readonly typed: Map<number, Spans>;
  readonly extra: Spans;
  /** Everything but where the external data lie. */
  readonly rest: Spans;
}

/**
 * Reads one tensor.
 * @throws NetpareError `bad-model` naming the tensor and the field.
 */
export function decodeTensor(message: Uint8Array, kind: string, external: ExternalData): DecodedTensor {
  const parts = collect(message, kind);
  const what = parts.name === "" ? kind : `${kind} '${parts.name}'`;
  const { name, elementType } = parts;
  if (elementType === 0) throw malformed(what, "has no element type (data_type)");
  const shape = readDims(parts.dims.bytes(), what);
  const dtype = dtypeOfNumber(elementType);
  const base = { name, elementType, external: parts.external, extra: parts.extra.bytes() };
  if (dtype === undefined || parts.segment)
    return { ...base, tensor: undefined, message: parts.external ? pullIn(parts, shape, what, external) : message };
  return { ...base, tensor: readData(dtype, shape, parts, what, external), message };
}

function collect(message: Uint8Array, kind: string): Parts {
  const parts: Parts = {
    name: "",
    elementType: 0,
    raw: undefined,
    external: false,
    segment: false,
    entries: new Map(),
    dims: new Spans(),
    typed: new Map(),
    extra: new Spans(),
    rest: new Spans(),
  };
  for (const field of fieldsOf(message, kind)) {
    collectField(parts, message, field, kind);
    if (field.no !== externalField && field.no !== locationField) parts.rest.field(message, field);
  }
  return parts;
}

function collectField(parts: Parts, message: Uint8Array, field: Field, kind: string): void {
  const what = parts.name === "" ? kind : `${kind} '${parts.name}'`;
  switch (field.no) {
    case no.dims:
      parts.dims.add(message, field.at, field.end);
      return;
    case no.dataType:
      parts.elementType = enumOf(message, field, what);
      return;
    case no.name:
      parts.name = textOf(message, field, what);
      return;
    case no.raw:
      parts.raw = bodyOf(message, field, what);
      return;
    case no.segment:
      parts.segment = true;
      return;
    case externalField: {
      const { key, value } = decodeMessage(StringStringEntryProtoSchema, bodyOf(message, field, what), what);
      parts.entries.set(key, value);
      return;
    }
    case locationField:
      parts.external = enumOf(message, field, what) === 1;
      return;
    case no.float:
    case no.int32:
    case no.int64:
    case no.double:
    case no.uint64:
    case no.string: {
      const spans = parts.typed.get(field.no) ?? new Spans();
      parts.typed.set(field.no, spans);
      // Packed or not, the payloads one after the other are the same bytes.
      spans.add(message, field.at, field.end);
      return;
    }
    default:
      parts.extra.field(message, field);
  }
}

function readDims(bytes: Uint8Array, what: string): number[] {
  const dims: number[] = [];
  attempt(what, () => {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const dim = Number(reader.int64());
      if (dim < 0 || !Number.isSafeInteger(dim)) throw malformed(what, `has dimension ${dim} (dims)`);
      dims.push(dim);
    }
  });
  return dims;
}

/** Far above any file, and far enough below 2^53 that a size in bytes is exact. */
const largestSize = 2 ** 48;

function elementCount(shape: readonly number[], what: string): number {
  if (shape.includes(0)) return 0;
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size > largestSize) throw malformed(what, `shape [${shape.slice(0, 8)}] is too large`);
  return size;
}

function readData(dtype: DType, shape: readonly number[], parts: Parts, what: string, external: ExternalData): Tensor {
  const size = elementCount(shape, what);
  const sizeBytes = size * elementBytes(dtype);
  const typed = parts.typed.get(typedField[dtype]);
  if (parts.external)
    return tensor(dtype, shape, clean(dtype, viewBytes(dtype, external.read(parts.entries, sizeBytes, what))));
  if (parts.raw !== undefined && (parts.raw.length > 0 || typed === undefined)) {
    if (parts.raw.length !== sizeBytes)
      throw malformed(
        what,
        `raw_data holds ${parts.raw.length} bytes, shape [${shape}] of ${dtype} wants ${sizeBytes}`,
      );
    return tensor(dtype, shape, clean(dtype, viewBytes(dtype, parts.raw)));
  }
  const payload = typed?.bytes() ?? new Uint8Array();
  const count = countElements(typedField[dtype], payload);
  if (count !== size) throw malformed(what, `holds ${count} elements, shape [${shape}] of ${dtype} wants ${size}`);
  return tensor(
    dtype,
    shape,
    attempt(what, () => clean(dtype, readTyped(dtype, size, payload))),
  );
}

function countElements(field: number, payload: Uint8Array): number {
  if (field === no.float) return payload.length / 4;
  if (field === no.double) return payload.length / 8;
  let count = 0;
  for (const byte of payload) if (byte < 0x80) count++;
  return count;
}

function readTyped<D extends DType>(dtype: D, size: number, payload: Uint8Array): ArrayOf<D> {
  if (dtype === "float32" || dtype === "float64") return viewBytes(dtype, payload);
  const out = allocate(dtype, size);
  const reader = new BinaryReader(payload);
  for (let i = 0; i < size; i++) {
    if (dtype === "int64") out[i] = BigInt(reader.int64());
    else if (dtype === "uint64") out[i] = BigInt(reader.uint64());
    else out[i] = dtype === "uint32" ? Number(reader.uint64()) : reader.int32();
  }
  return out;
}

/** A bool is 0 or 1 in memory, whatever the file says. */
function clean<D extends DType>(dtype: D, data: ArrayOf<D>): ArrayOf<D> {
  if (dtype !== "bool" || !(data as Uint8Array).some((value) => value > 1)) return data;
  return (data as Uint8Array).map((value) => (value === 0 ? 0 : 1)) as ArrayOf<D>;
}

function pullIn(parts: Parts, shape: readonly number[], what: string, external: ExternalData): Uint8Array {
  const bits = carriedBits(parts.elementType);
  if (bits === undefined)
    throw malformed(what, `${elementTypeName(parts.elementType)} data cannot lie in another file`);
  const data = external.read(parts.entries, Math.ceil((elementCount(shape, what) * bits) / 8), what);
  const writer = new BinaryWriter().raw(parts.rest.bytes());
  writeField(writer, no.raw, data);
  return writer.finish();
}

/** The TensorProto of `value`, followed by what `extra` holds. */
export function encodeTensor(name: string, value: Tensor, extra?: Uint8Array): Uint8Array {
  const message = create(TensorProtoSchema, {
    dims: value.shape.map(BigInt),
    dataType: elementTypeOf(value.dtype),
    rawData: bytesOf(value),
  });
  if (name !== "") message.name = name;
  const bytes = toBinary(TensorProtoSchema, message);
  return extra === undefined || extra.length === 0 ? bytes : new BinaryWriter().raw(bytes).raw(extra).finish();
}

/** The name and the leftover fields of a tensor that was written by `encodeLeftover`. */
export function encodeLeftover(name: string, extra: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(no.name, WireType.LengthDelimited).string(name).raw(extra).finish();
}
