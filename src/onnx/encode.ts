/**
 * A Graph as the bytes of an ONNX file. Tensors are written to raw_data; what came with the graph as bytes goes back as it was.
 * The format version is 8 at opset 17 and what the opset asks for above; the version a file came with is kept where it holds
 * fields that a Graph does not know, since those may need it.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Graph, Value } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Extra, graphFields, modelFields, readExtra, structureOf } from "./_extra.ts";
import { encodeNode } from "./_node.ts";
import { ownFunctions } from "./_own-functions.ts";
import { encodeTensor } from "./_tensor.ts";
import { irVersionFor } from "./_types.ts";
import { decodeValue, encodeValue } from "./_value.ts";
import { bodyOf, decodeMessage, fieldsOf, Spans, sameBytes, writeField, writeText } from "./_wire.ts";
import {
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
  ValueInfoProtoSchema,
} from "./onnx_pb.ts";
import { convertFromGraphOpset, graphOpset } from "./opset.ts";

/** Protobuf's limit for a message. */
const largestFile = 2 ** 31 - 1;

/**
 * Writes a model.
 * @throws NetpareError `unsupported` where an operator has no form in the graph's opset, or the file would pass 2 GiB.
 */
export function encodeModel(graph: Graph): Uint8Array {
  let tensorBytes = 0;
  for (const { data } of graph.initializers.values()) tensorBytes += data.byteLength;
  if (tensorBytes > largestFile)
    throw new NetpareError("unsupported", `the tensors take ${tensorBytes} bytes; an ONNX file holds less than 2 GiB`);
  const extra = readExtra(graph.extra);
  const opset = graph.opsets.get("") ?? graphOpset;
  const writer = new BinaryWriter();
  writer.tag(modelFields.irVersion, WireType.Varint).int64(Math.max(irVersionFor(opset), extra.irVersion));
  if (graph.extra === undefined) writeText(writer, modelFields.producerName, "netpare");
  writer.raw(extra.model);
  writeField(writer, modelFields.graph, encodeGraph(graph, extra));
  for (const body of ownFunctions(graph.nodes, opset)) writeField(writer, modelFields.functions, body);
  for (const [domain, version] of imports(graph, opset)) {
    const message = create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) });
    writeField(writer, modelFields.opsetImport, toBinary(OperatorSetIdProtoSchema, message));
  }
  for (const [key, value] of graph.metadata) {
    const message = create(StringStringEntryProtoSchema, { key, value });
    writeField(writer, modelFields.metadata, toBinary(StringStringEntryProtoSchema, message));
  }
  return writer.finish();
}

/** The graph's imports, with a version for every domain its nodes use. */
function imports(graph: Graph, opset: number): Map<string, number> {
  const all = new Map([...graph.opsets, ["", opset]]);
  for (const { domain } of graph.nodes) if (!all.has(domain)) all.set(domain, 1);
  return all;
}

function encodeGraph(graph: Graph, extra: Extra): Uint8Array {
  const { nodes, initializers } = convertFromGraphOpset(graph);
  const writer = new BinaryWriter();
  for (const node of nodes) writeField(writer, graphFields.node, encodeNode(node));
  // onnxruntime refuses a graph without a name.
  writeText(writer, graphFields.name, graph.name || "graph");
  for (const [name, tensor] of initializers)
    writeField(writer, graphFields.initializer, encodeTensor(name, tensor, extra.initializers.get(name)));
  for (const input of graph.inputs)
    writeField(writer, graphFields.input, withExtra(input, extra.inputs.get(input.name)));
  for (const output of graph.outputs)
    writeField(writer, graphFields.output, withExtra(output, extra.outputs.get(output.name)));
  writer.raw(liveExtra(graph, extra));
  return writer.finish();
}

/** The message of a value: as it was read where that still holds, else anew with the documentation it had. */
function withExtra(value: Value, message: Uint8Array | undefined): Uint8Array {
  const plain = encodeValue(value);
  if (message === undefined) return plain;
  const { name, dtype, shape } = decodeValue(message, "value");
  if (dtype !== undefined && sameBytes(encodeValue({ name, dtype, shape }), plain)) return message;
  const rest = new Spans();
  const typeField = ValueInfoProtoSchema.field.type.number;
  for (const field of fieldsOf(message, "value")) if (field.no > typeField) rest.field(message, field);
  return new BinaryWriter().raw(plain).raw(rest.bytes()).finish();
}

/** Leftover fields of the graph, without types of inner values that may have changed and annotations of tensors that are gone. */
function liveExtra(graph: Graph, extra: Extra): Uint8Array {
  const what = "graph.extra";
  const bytes = extra.graph;
  const unchanged = extra.structure !== undefined && sameBytes(extra.structure, structureOf(graph));
  const names = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  for (const node of graph.nodes) for (const output of node.outputs) names.add(output);
  const live = new Spans();
  for (const field of fieldsOf(bytes, what)) {
    if (field.no === graphFields.valueInfo && !unchanged) continue;
    if (field.no === graphFields.annotation) {
      const annotation = decodeMessage(TensorAnnotationSchema, bodyOf(bytes, field, what), what);
      const parameters = annotation.quantParameterTensorNames.map(({ value }) => value);
      if (![annotation.tensorName, ...parameters].every((name) => names.has(name))) continue;
    }
    live.field(bytes, field);
  }
  return live.bytes();
}
