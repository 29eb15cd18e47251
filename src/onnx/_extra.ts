/**
 * What a model file holds beyond a Graph, as bytes in `graph.extra`: a ModelProto without the parts the Graph stands for.
 * Its graph field holds the leftover fields, the inputs and outputs that say more than name, type and shape, and of
 * initializers name and leftovers. Types of inner values (value_info) are facts about the graph as it was read: they are
 * written back only while the graph has the structure whose fingerprint lies in `structureField`.
 */
import { createHash } from "node:crypto";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Graph, Value } from "../graph/graph.ts";
import { bytesOf } from "../tensor/tensor.ts";
import { encodeAttribute } from "./_attribute.ts";
import { encodeLeftover } from "./_tensor.ts";
import { irVersionFor } from "./_types.ts";
import { decodeValue, encodeValue } from "./_value.ts";
import { bodyOf, fieldsOf, integerOf, Spans, sameBytes, textOf, writeField } from "./_wire.ts";

/** Field numbers of ModelProto. */
export const modelFields = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
  functions: 25,
};
/** Field numbers of GraphProto. */
export const graphFields = {
  node: 1,
  name: 2,
  initializer: 5,
  doc: 10,
  input: 11,
  output: 12,
  valueInfo: 13,
  annotation: 14,
  sparseInitializer: 15,
};
/** The largest field number protobuf allows; no format uses it. */
const structureField = 2 ** 29 - 1;

/** `graph.extra`, taken apart. */
export interface Extra {
  /** The format version the file came with where what is left over may need it, else 0. */
  readonly irVersion: number;
  /** Leftover fields of the model. */
  readonly model: Uint8Array;
  /** Leftover fields of the graph. */
  readonly graph: Uint8Array;
  readonly inputs: ReadonlyMap<string, Uint8Array>;
  readonly outputs: ReadonlyMap<string, Uint8Array>;
  readonly initializers: ReadonlyMap<string, Uint8Array>;
  readonly structure: Uint8Array | undefined;
}

/** Takes `graph.extra` apart; empty where there is none. */
export function readExtra(extra: Uint8Array | undefined): Extra {
  const what = "graph.extra";
  const model = new Spans();
  const graph = new Spans();
  let irVersion = 0;
  let structure: Uint8Array | undefined;
  const bytes = extra ?? new Uint8Array();
  for (const field of fieldsOf(bytes, what)) {
    if (field.no === modelFields.irVersion) irVersion = Number(integerOf(bytes, field, what));
    else if (field.no === modelFields.graph) graph.add(bytes, field.at, field.end);
    else if (field.no === structureField) structure = bodyOf(bytes, field, what);
    else model.field(bytes, field);
  }
  return { irVersion, model: model.bytes(), structure, ...readGraphExtra(graph.bytes(), what) };
}

function readGraphExtra(bytes: Uint8Array, what: string) {
  const rest = new Spans();
  const inputs = new Map<string, Uint8Array>();
  const outputs = new Map<string, Uint8Array>();
  const initializers = new Map<string, Uint8Array>();
  for (const field of fieldsOf(bytes, what)) {
    const body = () => bodyOf(bytes, field, what);
    if (field.no === graphFields.input) inputs.set(decodeValue(body(), what).name, body());
    else if (field.no === graphFields.output) outputs.set(decodeValue(body(), what).name, body());
    else if (field.no === graphFields.initializer) initializers.set(...splitLeftover(body(), what));
    else rest.field(bytes, field);
  }
  return { graph: rest.bytes(), inputs, outputs, initializers };
}

function splitLeftover(message: Uint8Array, what: string): [string, Uint8Array] {
  const rest = new Spans();
  let name: string | undefined;
  for (const field of fieldsOf(message, what)) {
    if (name === undefined) name = textOf(message, field, what);
    else rest.field(message, field);
  }
  return [name ?? "", rest.bytes()];
}

/** Fields of ModelProto that every format version has: producer, domain, version, documentation. */
const lastOldField = 6;

/** The last field of NodeProto that every format version has. */
const lastOldNodeField = 7;

/** Whether there is something whose meaning may need the format version that the file came with. */
function needsOwnVersion(graph: Graph, left: Leftovers): boolean {
  if (left.irVersion <= irVersionFor(graph.opsets.get("") ?? 0)) return false;
  for (const { no } of fieldsOf(left.model, "model")) if (no > lastOldField) return true;
  for (const { no } of fieldsOf(left.graph, "graph")) if (no > graphFields.sparseInitializer) return true;
  for (const { extra, attributes } of graph.nodes) {
    for (const { no } of fieldsOf(extra ?? new Uint8Array(), "node")) if (no > lastOldNodeField) return true;
    if (Object.values(attributes).some(({ kind }) => kind === "opaque")) return true;
  }
  return false;
}

/** What a decoder found beyond the graph. */
export interface Leftovers {
  readonly irVersion: number;
  /** Leftover fields of the model. */
  readonly model: Uint8Array;
  /** Leftover fields of the graph. */
  readonly graph: Uint8Array;
  /** Messages of inputs and outputs, in full. */
  readonly inputs: ReadonlyMap<string, Uint8Array>;
  readonly outputs: ReadonlyMap<string, Uint8Array>;
  readonly initializers: ReadonlyMap<string, Uint8Array>;
  readonly hasValueInfo: boolean;
}

/** `graph.extra` of a graph just read. */
export function writeExtra(graph: Graph, left: Leftovers): Uint8Array {
  const inner = new BinaryWriter().raw(left.graph);
  const values = (no: number, list: readonly Value[], messages: ReadonlyMap<string, Uint8Array>) => {
    for (const value of list) {
      const message = messages.get(value.name);
      if (message !== undefined && !sameBytes(message, encodeValue(value))) writeField(inner, no, message);
    }
  };
  values(graphFields.input, graph.inputs, left.inputs);
  values(graphFields.output, graph.outputs, left.outputs);
  for (const [name, rest] of left.initializers)
    if (rest.length > 0) writeField(inner, graphFields.initializer, encodeLeftover(name, rest));
  const outer = new BinaryWriter();
  if (needsOwnVersion(graph, left)) outer.tag(modelFields.irVersion, WireType.Varint).int64(left.irVersion);
  outer.raw(left.model);
  const body = inner.finish();
  if (body.length > 0) writeField(outer, modelFields.graph, body);
  if (left.hasValueInfo) writeField(outer, structureField, structureOf(graph));
  return outer.finish();
}

/** A fingerprint of what the types of inner values follow from: nodes, types of inputs and initializers, small integer constants. */
export function structureOf(graph: Graph): Uint8Array {
  const hash = createHash("sha256");
  const add = (value: unknown) => hash.update(`${JSON.stringify(value)}\n`);
  for (const { name, dtype, shape } of graph.inputs) add([name, dtype, shape ?? null]);
  for (const [name, { dtype, shape, data }] of graph.initializers)
    add([name, dtype, shape, data instanceof BigInt64Array && data.length <= 64 ? Array.from(data, String) : 0]);
  for (const node of graph.nodes) {
    add([node.op, node.domain, node.inputs, node.outputs]);
    for (const [name, attribute] of Object.entries(node.attributes)) {
      const small = attribute.kind !== "tensor" || bytesOf(attribute.value).length <= 512;
      if (small) hash.update(encodeAttribute(name, attribute));
      else if (attribute.kind === "tensor") add([name, attribute.value.dtype, attribute.value.shape]);
    }
  }
  return new Uint8Array(hash.digest());
}
