/**
 * An ONNX file's bytes as a Graph whose standard operators are those of opset 17.
 * What the Graph has no place for stays bytes: `extra` of graph and nodes, `opaque` attributes. Initializers of types that
 * netpare does not compute with, and sparse ones, become Constant nodes that hold their message.
 * Input is taken to be hostile: everything wrong ends in one line that names file, node or tensor, and field.
 * Limits: graph inputs and outputs are numeric tensors; sub-graphs are carried, not read.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Graph, Node, Value, ValueType } from "../graph/graph.ts";
import { sortNodes } from "../graph/order.ts";
import { verifyGraph } from "../graph/verify.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { tensorMessage } from "./_attribute.ts";
import { canonicalDomain } from "./_domain.ts";
import { type ExternalData, externalData } from "./_external.ts";
import { graphFields, modelFields, writeExtra } from "./_extra.ts";
import { decodeNode } from "./_node.ts";
import { isOwnFunction } from "./_own-functions.ts";
import { functionOperators } from "./_subgraph.ts";
import { decodeTensor } from "./_tensor.ts";
import { type DecodedValue, decodeValue } from "./_value.ts";
import { bodyOf, decodeMessage, fieldsOf, integerOf, malformed, Spans, textOf, writeField } from "./_wire.ts";
import {
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  TensorAnnotationSchema,
} from "./onnx_pb.ts";
import { convertToGraphOpset } from "./opset.ts";

/** How a model is read. */
export interface DecodeOptions {
  /** The folder in which external tensor data may lie; without it a model that has such data is refused. */
  readonly directory?: string;
  /** The file's name, for messages. */
  readonly file?: string;
  /** Standard operators the caller understands; a model above opset 17 with another one keeps its own opset. */
  readonly knownOperators?: ReadonlySet<string>;
}

/**
 * Reads a model.
 * @throws NetpareError `bad-model` where the bytes are not a well-formed model, `unsupported` where an operator set or a type
 * is outside of what netpare reads.
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): Graph {
  return located(options.file, () => {
    const model = splitModel(bytes);
    const external = externalData(options.directory);
    return assemble(model, splitGraph(model.graph, external), options);
  });
}

/**
 * The operator set versions a model file names, by domain, before netpare converts them.
 * @throws NetpareError `bad-model` where the bytes are not a model.
 */
export function readOpsets(bytes: Uint8Array, file?: string): ReadonlyMap<string, number> {
  return located(file, () => splitModel(bytes).opsets);
}

const longestMessage = 400;

/** Runs `decode` and puts the file's name before what it throws, all on one line. */
export function located<T>(file: string | undefined, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof NetpareError)) throw error;
    const text = error.message.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
    const line = text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text;
    throw new NetpareError(error.code, file === undefined ? line : `${file}: ${line}`, { cause: error });
  }
}

interface ModelParts {
  irVersion: number;
  readonly graph: Uint8Array;
  readonly opsets: Map<string, number>;
  readonly metadata: Map<string, string>;
  /** Standard operators that the model's own functions hold. */
  readonly functionOperators: Set<string>;
  readonly extra: Uint8Array;
}

function splitModel(file: Uint8Array): ModelParts {
  const what = "model";
  // A Buffer would pass its own slice and subarray on to everything cut out of it.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length === 0) throw malformed(what, "the file is empty");
  if (new TextDecoder().decode(bytes.subarray(0, 24)).startsWith("version https://git-lfs"))
    throw malformed(what, "the file is a Git LFS pointer, not the model itself; run 'git lfs pull'");
  const graph = new Spans();
  const extra = new Spans();
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const inFunctions = new Set<string>();
  let irVersion = 0;
  for (const field of fieldsOf(bytes, what)) {
    if (field.no === modelFields.graph) {
      bodyOf(bytes, field, what);
      graph.add(bytes, field.at, field.end);
    } else if (field.no === modelFields.opsetImport) addImport(opsets, bodyOf(bytes, field, what));
    else if (field.no === modelFields.metadata) {
      const { key, value } = decodeMessage(StringStringEntryProtoSchema, bodyOf(bytes, field, what), "metadata_props");
      metadata.set(key, value);
    } else if (field.no === modelFields.irVersion) irVersion = Number(integerOf(bytes, field, "ir_version"));
    else {
      if (field.no === modelFields.functions) {
        const body = bodyOf(bytes, field, what);
        if (isOwnFunction(body, "function")) continue;
        for (const op of functionOperators(body, "function")) inFunctions.add(op);
      }
      extra.field(bytes, field);
    }
  }
  if (graph.isEmpty) throw malformed(what, "has no graph; is this an ONNX file?");
  return { irVersion, graph: graph.bytes(), opsets, metadata, functionOperators: inFunctions, extra: extra.bytes() };
}

function addImport(opsets: Map<string, number>, message: Uint8Array): void {
  const { domain, version } = decodeMessage(OperatorSetIdProtoSchema, message, "opset_import");
  const name = canonicalDomain(domain);
  const known = opsets.get(name);
  if (known !== undefined && known !== Number(version))
    throw malformed("opset_import", `imports versions ${known} and ${version} of domain '${name}'`);
  opsets.set(name, Number(version));
}

interface GraphParts {
  name: string;
  readonly nodes: Node[];
  readonly initializers: Map<string, Tensor>;
  readonly inputs: Map<string, DecodedValue>;
  readonly outputs: Map<string, DecodedValue>;
  readonly types: Map<string, Partial<ValueType>>;
  /** Names of initializers that became Constant nodes. */
  readonly constants: Set<string>;
  readonly messages: { readonly inputs: Map<string, Uint8Array>; readonly outputs: Map<string, Uint8Array> };
  readonly initializerExtra: Map<string, Uint8Array>;
  hasValueInfo: boolean;
  readonly extra: Spans;
}

function splitGraph(bytes: Uint8Array, external: ExternalData): GraphParts {
  const parts: GraphParts = {
    name: "",
    nodes: [],
    initializers: new Map(),
    inputs: new Map(),
    outputs: new Map(),
    types: new Map(),
    constants: new Set(),
    messages: { inputs: new Map(), outputs: new Map() },
    initializerExtra: new Map(),
    hasValueInfo: false,
    extra: new Spans(),
  };
  const constants: Node[] = [];
  for (const field of fieldsOf(bytes, "graph")) {
    const body = () => bodyOf(bytes, field, "graph");
    if (field.no === graphFields.node) parts.nodes.push(decodeNode(body(), parts.nodes.length, external));
    else if (field.no === graphFields.name) parts.name = textOf(bytes, field, "graph");
    else if (field.no === graphFields.initializer) addInitializer(parts, constants, body(), external);
    else if (field.no === graphFields.sparseInitializer) addSparse(parts, constants, body());
    else if (field.no === graphFields.input) addValue(parts, "inputs", body());
    else if (field.no === graphFields.output) addValue(parts, "outputs", body());
    else {
      if (field.no === graphFields.valueInfo) {
        addType(parts, decodeValue(body(), "value_info"));
        parts.hasValueInfo = true;
      }
      if (field.no === graphFields.annotation) decodeMessage(TensorAnnotationSchema, body(), "quantization_annotation");
      parts.extra.field(bytes, field);
    }
  }
  parts.nodes.unshift(...constants);
  return parts;
}

function addType(parts: GraphParts, { name, dtype, shape }: DecodedValue): void {
  if (!parts.types.has(name)) parts.types.set(name, { ...(dtype === undefined ? {} : { dtype }), shape });
}

function addValue(parts: GraphParts, side: "inputs" | "outputs", message: Uint8Array): void {
  const kind = side === "inputs" ? "graph input" : "graph output";
  const value = decodeValue(message, kind);
  if (parts[side].has(value.name)) throw malformed(`${kind} '${value.name}'`, "is declared twice");
  parts[side].set(value.name, value);
  parts.messages[side].set(value.name, message);
  addType(parts, value);
}

function checkFresh(parts: GraphParts, name: string): void {
  if (name === "") throw malformed("initializer", "has no name");
  if (parts.initializers.has(name) || parts.constants.has(name))
    throw malformed(`initializer '${name}'`, "is declared twice");
}

function addInitializer(parts: GraphParts, constants: Node[], message: Uint8Array, external: ExternalData): void {
  const decoded = decodeTensor(message, "initializer", external);
  const { name } = decoded;
  checkFresh(parts, name);
  if (decoded.tensor !== undefined) {
    parts.initializers.set(name, decoded.tensor);
    parts.initializerExtra.set(name, decoded.extra);
  } else {
    parts.constants.add(name);
    constants.push(constantNode(name, "value", tensorMessage("value", decoded.message)));
  }
}

function addSparse(parts: GraphParts, constants: Node[], message: Uint8Array): void {
  const { values } = decodeMessage(SparseTensorProtoSchema, message, "sparse_initializer");
  const name = values?.name ?? "";
  checkFresh(parts, name);
  if (values?.dataLocation === 1)
    throw new NetpareError(
      "unsupported",
      `sparse initializer '${name}' keeps its data in another file; store it densely`,
    );
  const sparse = new BinaryWriter().tag(1, WireType.LengthDelimited).string("sparse_value");
  writeField(sparse, 22, message);
  parts.constants.add(name);
  constants.push(constantNode(name, "sparse_value", sparse.tag(20, WireType.Varint).int32(11).finish()));
}

function constantNode(name: string, attribute: string, value: Uint8Array): Node {
  return {
    name,
    op: "Constant",
    domain: "",
    inputs: [],
    outputs: [name],
    attributes: { [attribute]: { kind: "opaque", value } },
  };
}

function assemble(model: ModelParts, parts: GraphParts, options: DecodeOptions): Graph {
  // Before version 4 of the format every initializer had to be listed among the inputs, and none could be fed.
  const listed = (name: string) => parts.constants.has(name) || (model.irVersion < 4 && parts.initializers.has(name));
  const inputs = [...parts.inputs.values()].filter(({ name }) => !listed(name)).map((v) => numeric(v, "graph input"));
  const outputs = [...parts.outputs.values()].map((v) => numeric(v, "graph output"));
  for (const [name, { dtype, shape }] of parts.initializers) parts.types.set(name, { dtype, shape });
  const source: Graph = {
    name: parts.name,
    inputs,
    outputs,
    nodes: sortNodes(parts.nodes),
    initializers: parts.initializers,
    metadata: model.metadata,
    opsets: model.opsets,
  };
  const graph = convertToGraphOpset(verifyGraph(source), parts.types, model.functionOperators, options.knownOperators);
  const extra = writeExtra(graph, {
    irVersion: model.irVersion,
    model: model.extra,
    graph: parts.extra.bytes(),
    inputs: parts.messages.inputs,
    outputs: parts.messages.outputs,
    initializers: parts.initializerExtra,
    hasValueInfo: parts.hasValueInfo,
  });
  return extra.length === 0 ? graph : { ...graph, extra };
}

function numeric({ name, dtype, shape, type }: DecodedValue, kind: string): Value {
  if (dtype === undefined)
    throw new NetpareError("unsupported", `${kind} '${name}' has type ${type}; netpare handles tensors of numbers`);
  return { name, dtype, shape };
}
