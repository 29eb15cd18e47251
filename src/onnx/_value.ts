/** ValueInfoProto to and from typed values. An unknown dimension is "?" in memory and an empty dimension in the file. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { Dim, Value, ValueType } from "../graph/graph.ts";
import type { DType } from "../tensor/dtype.ts";
import { dtypeOfNumber, elementTypeOf } from "../tensor/element-type.ts";
import { elementTypeName } from "./_types.ts";
import { decodeMessage, malformed } from "./_wire.ts";
import {
  type TensorShapeProto,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "./onnx_pb.ts";

/** A value as it stood in the file. */
export interface DecodedValue {
  readonly name: string;
  /** Undefined where the type is none of netpare's; `type` then names it. */
  readonly dtype: DType | undefined;
  readonly shape: ValueType["shape"];
  /** The type in words. */
  readonly type: string;
}

/**
 * Reads the name and type of a value.
 * @throws NetpareError `bad-model`.
 */
export function decodeValue(message: Uint8Array, kind: string): DecodedValue {
  const proto = decodeMessage(ValueInfoProtoSchema, message, kind);
  const { name } = proto;
  if (name === "") throw malformed(kind, "has no name");
  const what = `${kind} '${name}'`;
  checkText(name, what);
  const value = proto.type?.value;
  if (value?.case !== "tensorType")
    return { name, dtype: undefined, shape: undefined, type: value?.case?.replace("Type", "") ?? "no type" };
  const { elemType, shape } = value.value;
  const dtype = dtypeOfNumber(elemType);
  return { name, dtype, shape: shape && readShape(shape, what), type: elementTypeName(elemType) };
}

/** protobuf-es puts U+FFFD where text is not UTF-8. */
function checkText(text: string, what: string): void {
  if (text.includes("\uFFFD")) throw malformed(what, "holds text that is not valid UTF-8");
}

function readShape(shape: TensorShapeProto, what: string): Dim[] {
  return shape.dim.map(({ value }, axis) => {
    if (value.case === "dimParam") {
      checkText(value.value, what);
      return value.value === "" ? "?" : value.value;
    }
    if (value.case === undefined) return "?";
    const dim = Number(value.value);
    // Some exporters write -1 for a size they do not know.
    if (dim === -1) return "?";
    if (dim < 0 || !Number.isSafeInteger(dim)) throw malformed(what, `has dimension ${dim} on axis ${axis}`);
    return dim;
  });
}

/** The ValueInfoProto of a value. */
export function encodeValue({ name, dtype, shape }: Value): Uint8Array {
  const tensorType = create(TypeProto_TensorSchema, { elemType: elementTypeOf(dtype) });
  if (shape !== undefined) tensorType.shape = create(TensorShapeProtoSchema, { dim: shape.map(encodeDim) });
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: tensorType } });
  return toBinary(ValueInfoProtoSchema, create(ValueInfoProtoSchema, { name, type }));
}

function encodeDim(dim: Dim) {
  if (dim === "?") return create(TensorShapeProto_DimensionSchema);
  return create(TensorShapeProto_DimensionSchema, {
    value: typeof dim === "number" ? { case: "dimValue", value: BigInt(dim) } : { case: "dimParam", value: dim },
  });
}
