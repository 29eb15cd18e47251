/** NodeProto to and from Node. Fields a Node does not hold (documentation, overload, metadata, unknown ones) go into `extra`. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Attribute, Attributes } from "../graph/attributes.ts";
import { type Node, nodeLabel } from "../graph/graph.ts";
import { decodeAttribute, encodeAttribute } from "./_attribute.ts";
import { canonicalDomain } from "./_domain.ts";
import type { ExternalData } from "./_external.ts";
import { readSubgraphs } from "./_subgraph.ts";
import { bodyOf, fieldsOf, malformed, Spans, textOf, writeField, writeText } from "./_wire.ts";

const no = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 };

/**
 * Reads one node; `index` names it in messages before its own name is known.
 * @throws NetpareError `bad-model`.
 */
export function decodeNode(message: Uint8Array, index: number, external: ExternalData): Node {
  const what = `node ${index}`;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const bodies: Uint8Array[] = [];
  const text = { name: "", op: "", domain: "" };
  const extra = new Spans();
  for (const field of fieldsOf(message, what)) {
    if (field.no === no.input) inputs.push(textOf(message, field, what));
    else if (field.no === no.output) outputs.push(textOf(message, field, what));
    else if (field.no === no.name) text.name = textOf(message, field, what);
    else if (field.no === no.op) text.op = textOf(message, field, what);
    else if (field.no === no.domain) text.domain = textOf(message, field, what);
    else if (field.no === no.attribute) bodies.push(bodyOf(message, field, what));
    else extra.field(message, field);
  }
  if (text.op === "") throw malformed(text.name === "" ? what : `node '${text.name}'`, "has no operator (op_type)");
  const node = { ...text, domain: canonicalDomain(text.domain), inputs, outputs };
  const label = nodeLabel({ ...node, attributes: {} });
  const attributes = decodeAttributes(bodies, label, external);
  const captures = capturesOf(attributes, label);
  return {
    ...node,
    attributes,
    ...(captures.length === 0 ? {} : { captures }),
    ...(extra.isEmpty ? {} : { extra: extra.bytes() }),
  };
}

function decodeAttributes(bodies: readonly Uint8Array[], label: string, external: ExternalData): Attributes {
  const attributes = new Map<string, Attribute>();
  for (const body of bodies) {
    const { name, attribute } = decodeAttribute(body, label, external);
    if (attributes.has(name)) throw malformed(label, `has attribute '${name}' twice`);
    attributes.set(name, attribute);
  }
  return Object.fromEntries(attributes);
}

/** What the node's sub-graphs read from around them. */
function capturesOf(attributes: Attributes, label: string): string[] {
  const captures = new Set<string>();
  for (const attribute of Object.values(attributes))
    if (attribute.kind === "opaque")
      for (const name of readSubgraphs(attribute.value, label)?.captures ?? []) captures.add(name);
  return [...captures];
}

/** The NodeProto of one node. */
export function encodeNode(node: Node): Uint8Array {
  const writer = new BinaryWriter();
  for (const input of node.inputs) writer.tag(no.input, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) writer.tag(no.output, WireType.LengthDelimited).string(output);
  writeText(writer, no.name, node.name);
  writeText(writer, no.op, node.op);
  for (const [name, attribute] of Object.entries(node.attributes))
    writeField(writer, no.attribute, encodeAttribute(name, attribute));
  writeText(writer, no.domain, node.domain);
  if (node.extra) writer.raw(node.extra);
  return writer.finish();
}
