/** Writes `.pare` files; `docs/format.md` is their byte table. */
import { encodeSymbols } from "../codec/symbols-encoder.ts";
import type { Attribute } from "../graph/attributes.ts";
import type { Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { ByteWriter } from "./_bytes.ts";
import { checksum } from "./_checksum.ts";
import { codeHashed, codeTensor } from "./code-tensor.ts";
import { type PlainProgram, programOf } from "./from-graph.ts";
import { attributeKinds, fileDtypes, magic, structureLimit, version } from "./program.ts";

/**
 * The bytes of a file that computes what `graph` computes, with constants bit by bit as they are.
 * @throws NetpareError `unsupported` where the graph cannot be written, naming value or node.
 */
export function writePare(graph: Graph): Uint8Array {
  return writeProgram(programOf(graph));
}

/** The structure is coded where that takes off more than this share of the constants' bytes. */
const leastGained = 1 / 200;

/** The bytes of a file that holds a program as it is, whether it can run or not; `code` codes its constants. */
export function writeProgram(program: PlainProgram, code: typeof codeTensor = codeTensor): Uint8Array {
  const codes = new Map(
    [...program.tensors].map(([value, tensor]) => [
      value,
      "data" in tensor ? code(tensor) : codeHashed(tensor, code(tensor.values)),
    ]),
  );
  const structure = new ByteWriter();
  const texts = textsOf(program);
  structure.list(texts, (text) => {
    const utf8 = new TextEncoder().encode(text);
    structure.size(utf8.length);
    structure.bytes(utf8);
  });
  writeStructure(structure, program, new Map([...texts].map((text, i) => [text, i])));
  structure.list(codes, ([value, { record }]) => {
    structure.size(value + 1);
    structure.bytes(record);
  });

  const body = new ByteWriter();
  body.bytes(Uint8Array.of(version));
  const plain = structure.result();
  if (plain.length > structureLimit)
    throw new NetpareError(
      "unsupported",
      `the graph takes ${plain.length} bytes, a .pare file has at most ${structureLimit}; make it smaller`,
    );
  const streamBytes = [...codes.values()].reduce((sum, { streams }) => sum + streams.length, 0);
  const coded = encodeSymbols(plain, { alphabet: 256, row: 1 });
  // Beside large constants its few bytes are not worth the time that decoding takes.
  const gained = plain.length - coded.length;
  const stored = gained <= leastGained * streamBytes ? plain : coded;
  body.size(plain.length);
  body.size(stored.length);
  body.bytes(stored);
  for (const { streams } of codes.values()) body.bytes(streams);
  const covered = body.result();
  const file = new ByteWriter();
  file.bytes(Uint8Array.from(magic));
  file.bytes(new Uint8Array(Uint32Array.of(checksum(covered)).buffer));
  file.bytes(covered);
  return file.result();
}

/** Every text of the program, once. */
function textsOf({ metadata, inputs, outputs, nodes }: PlainProgram): Set<string> {
  const ofAttribute = (attribute: Attribute) =>
    attribute.kind === "string" ? [attribute.value] : attribute.kind === "strings" ? attribute.value : [];
  return new Set([
    ...[...metadata].flat(),
    ...[...inputs, ...outputs].map(({ name }) => name),
    ...nodes.flatMap(({ op, domain, attributes }) => [
      op,
      domain,
      ...Object.entries(attributes).flatMap(([name, attribute]) => [name, ...ofAttribute(attribute)]),
    ]),
  ]);
}

function writeStructure(out: ByteWriter, program: PlainProgram, numbers: ReadonlyMap<string, number>): void {
  const text = (value: string) => out.size(numbers.get(value)!);
  const value = (at: number) => out.size(at + 1);
  out.list(program.metadata, ([key, content]) => {
    text(key);
    text(content);
  });
  out.size(program.opset);
  out.list(program.values, ({ dtype, dims }) => {
    out.size(fileDtypes.indexOf(dtype));
    out.list(dims, ({ size, perImage }) => out.size(2 * size + (perImage ? 1 : 0)));
  });
  for (const ports of [program.inputs, program.outputs])
    out.list(ports, (port) => {
      text(port.name);
      value(port.value);
    });
  out.list(program.nodes, ({ op, domain, inputs, outputs, attributes }) => {
    text(op);
    text(domain);
    out.list(inputs, value);
    out.list(outputs, value);
    out.list(Object.entries(attributes), ([name, attribute]) => {
      text(name);
      writeAttribute(out, attribute, text);
    });
  });
}

function writeAttribute(out: ByteWriter, attribute: Attribute, text: (value: string) => void): void {
  out.size(attributeKinds.indexOf(attribute.kind as (typeof attributeKinds)[number]));
  const { kind } = attribute;
  if (kind === "int") out.integer(attribute.value);
  else if (kind === "ints") out.list(attribute.value, (item) => out.integer(item));
  else if (kind === "float") out.float(attribute.value);
  else if (kind === "floats") out.list(attribute.value, (item) => out.float(item));
  else if (kind === "string") text(attribute.value);
  else if (kind === "strings") out.list(attribute.value, text);
  else throw new Error(`internal: an attribute of kind ${kind}`);
}
