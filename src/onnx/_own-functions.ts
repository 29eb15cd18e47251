/** netpare's own operators in a file: each as a function of standard operators (FunctionProto), so that any ONNX engine runs it. */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Node } from "../graph/graph.ts";
import { operators } from "../ops/registry.ts";
import { encodeNode } from "./_node.ts";
import { fieldsOf, textOf, writeField, writeText } from "./_wire.ts";
import { OperatorSetIdProtoSchema } from "./onnx_pb.ts";

const ownDomain = "netpare";
const no = { name: 1, input: 4, output: 5, node: 7, opsetImport: 9, domain: 10 };

/** The FunctionProtos of netpare's operators among `nodes`. */
export function ownFunctions(nodes: readonly Node[], opset: number): Uint8Array[] {
  const used = new Set(nodes.filter(({ domain }) => domain === ownDomain).map(({ op }) => op));
  return operators.flatMap(({ op, domain, inputs, body }) => {
    if (domain !== ownDomain || !used.has(op) || body === undefined) return [];
    const writer = new BinaryWriter();
    writeText(writer, no.name, op);
    for (const input of inputs) writer.tag(no.input, WireType.LengthDelimited).string(input);
    for (const output of body.outputs) writer.tag(no.output, WireType.LengthDelimited).string(output);
    for (const node of body.nodes) writeField(writer, no.node, encodeNode(node));
    const version = create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(opset) });
    writeField(writer, no.opsetImport, toBinary(OperatorSetIdProtoSchema, version));
    writeText(writer, no.domain, ownDomain);
    return [writer.finish()];
  });
}

/** Whether a FunctionProto is one that netpare writes itself; one of its domain that it does not know stays in the file. */
export function isOwnFunction(body: Uint8Array, what: string): boolean {
  const text = { name: "", domain: "" };
  for (const field of fieldsOf(body, what))
    if (field.no === no.name) text.name = textOf(body, field, what);
    else if (field.no === no.domain) text.domain = textOf(body, field, what);
  return text.domain === ownDomain && operators.some(({ op, domain }) => domain === ownDomain && op === text.name);
}
