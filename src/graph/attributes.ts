/**
 * Attribute values of nodes, tagged by ONNX's kinds.
 * An attribute that these kinds cannot hold exactly (sub-graphs, 64-bit integers beyond 2^53, fields of later versions)
 * is kept as the bytes of its protobuf message, so that it survives a round trip. Where only the way it was written is more
 * than the value (documentation, a tensor's name, another encoding), `encoded` holds the message beside the value;
 * it is written back as long as it still says the same value.
 */
import type { Tensor } from "../tensor/tensor.ts";

export type Attribute = (
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "opaque"; readonly value: Uint8Array }
) & { readonly encoded?: Uint8Array };

export type Attributes = Readonly<Record<string, Attribute>>;

/** An integer attribute. */
export const int = (value: number): Attribute => ({ kind: "int", value });
/** An attribute of integers. */
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
/** A float attribute. */
export const float = (value: number): Attribute => ({ kind: "float", value });
/** An attribute of floats. */
export const floats = (value: readonly number[]): Attribute => ({ kind: "floats", value });
/** A string attribute. */
export const string = (value: string): Attribute => ({ kind: "string", value });
/** An attribute that holds a tensor. */
export const tensorAttribute = (value: Tensor): Attribute => ({ kind: "tensor", value });
