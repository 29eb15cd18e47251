/** ONNX's numbers: element types, attribute kinds, and the format version each operator set needs. */
import { dtypeOfNumber } from "../tensor/element-type.ts";

/** Name and bits of the element types that are carried along but not computed with; strings have no fixed size. */
const carried = new Map<number, { readonly name: string; readonly bits: number | undefined }>([
  [8, { name: "string", bits: undefined }],
  [14, { name: "complex64", bits: 64 }],
  [15, { name: "complex128", bits: 128 }],
  [17, { name: "float8e4m3fn", bits: 8 }],
  [18, { name: "float8e4m3fnuz", bits: 8 }],
  [19, { name: "float8e5m2", bits: 8 }],
  [20, { name: "float8e5m2fnuz", bits: 8 }],
  [21, { name: "uint4", bits: 4 }],
  [22, { name: "int4", bits: 4 }],
  [23, { name: "float4e2m1", bits: 4 }],
  [24, { name: "float8e8m0", bits: 8 }],
  [25, { name: "uint2", bits: 2 }],
  [26, { name: "int2", bits: 2 }],
]);

/** How an ONNX element type is called in messages. */
export function elementTypeName(elementType: number): string {
  return dtypeOfNumber(elementType) ?? carried.get(elementType)?.name ?? `element type ${elementType}`;
}

/** Bits of one element of a type that is only carried along, undefined where they are not known. */
export function carriedBits(elementType: number): number | undefined {
  return carried.get(elementType)?.bits;
}

/** AttributeProto.AttributeType. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  graphs: 10,
} as const;

/** The lowest format (IR) version that may import version `opset` of the default operator set; at least 8. */
export function irVersionFor(opset: number): number {
  if (opset <= 18) return 8;
  if (opset <= 20) return 9;
  if (opset <= 22) return 10;
  return opset === 23 ? 11 : opset === 24 ? 12 : 13;
}
