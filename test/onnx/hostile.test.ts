/** Broken and hostile files: each ends in one line that names file, part and field, and asks for no memory it did not bring. */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { decodeModel, decodeTensorFile } from "../../src/onnx/index.ts";
import { TensorProtoSchema } from "../../src/onnx/onnx_pb.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { attribute, elem, floats, type ModelSpec, modelBytes, node, value } from "./build-model.ts";

const base: ModelSpec = {
  opset: 17,
  inputs: [value("x", [2, 2])],
  outputs: [value("y", [2, 2])],
  nodes: [node("Add", ["x", "w"], ["y"])],
  initializers: [floats("w", [2, 2], [1, 2, 3, 4])],
};
const model = (change: Partial<ModelSpec>) => modelBytes({ ...base, ...change });
const w = (change: object) => model({ initializers: [{ name: "w", dims: [2n, 2n], dataType: 1, ...change }] });

/** What decoding throws, which must be a NetpareError of one line. */
function errorOf(bytes: Uint8Array): NetpareError {
  try {
    decodeModel(bytes, { file: "m.onnx" });
  } catch (error) {
    expect(error).toBeInstanceOf(NetpareError);
    const found = error as NetpareError;
    expect(found.message).toMatch(/^m\.onnx: .+$/);
    expect(found.message.length).toBeLessThan(600);
    return found;
  }
  throw new Error("it was decoded");
}

const field = (no: number, body: Uint8Array) =>
  new BinaryWriter().tag(no, WireType.LengthDelimited).bytes(body).finish();
const graphWith = (...bodies: Uint8Array[]) =>
  new BinaryWriter()
    .raw(modelBytes(base))
    .raw(field(7, Buffer.concat(bodies)))
    .finish();

describe("a broken model", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /the file is empty/],
    ["text", new TextEncoder().encode("<!DOCTYPE html><html></html>"), /not a protobuf message|has no graph/],
    [
      "a Git LFS pointer",
      new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
      /git lfs pull/,
    ],
    ["zeros", new Uint8Array(100), /illegal tag/],
    ["no graph", Uint8Array.of(8, 8), /has no graph/],
    ["half the file", modelBytes(base).subarray(0, 60), /damaged/],
    [
      "a node without operator",
      model({ nodes: [{ input: ["x"], output: ["y"], name: "n" }] }),
      /node 'n': has no operator \(op_type\)/,
    ],
    [
      "an attribute without a name",
      model({ nodes: [node("Relu", ["x"], ["y"], [{ type: 2, i: 1n }])] }),
      /Relu 'y': has an attribute without a name/,
    ],
    [
      "an attribute twice",
      model({ nodes: [node("Relu", ["x"], ["y"], [attribute.int("a", 1), attribute.int("a", 2)])] }),
      /Relu 'y': has attribute 'a' twice/,
    ],
    [
      "a cycle",
      model({ nodes: [node("Add", ["x", "b"], ["a"]), node("Neg", ["a"], ["b"]), node("Relu", ["b"], ["y"])] }),
      /depends on itself/,
    ],
    ["a node that reads itself", model({ nodes: [node("Add", ["x", "y"], ["y"])] }), /Add 'y' depends on itself/],
    ["a value nobody writes", model({ nodes: [node("Add", ["x", "nowhere"], ["y"])] }), /Add 'y' reads 'nowhere'/],
    [
      "a value written twice",
      model({ nodes: [node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])] }),
      /writes 'y', which is already written/,
    ],
    ["an output nobody writes", model({ outputs: [value("z", [1])] }), /graph output 'z' is written by nothing/],
    ["no output", model({ outputs: [] }), /no output/],
    ["an input twice", model({ inputs: [value("x", [1]), value("x", [2])] }), /graph input 'x': is declared twice/],
    ["an output twice", model({ outputs: [value("y", [1]), value("y", [2])] }), /graph output 'y': is declared twice/],
    ["an input without a name", model({ inputs: [value("", [1])] }), /graph input: has no name/],
    [
      "a negative dimension of an input",
      model({ inputs: [value("x", [2, -7])] }),
      /graph input 'x': has dimension -7 on axis 1/,
    ],
    [
      "an initializer twice",
      model({ initializers: [floats("w", [1], [1]), floats("w", [1], [1])] }),
      /initializer 'w': is declared twice/,
    ],
    ["an initializer without a name", model({ initializers: [floats("", [1], [1])] }), /initializer: has no name/],
    [
      "an initializer without type",
      w({ dataType: 0, floatData: [1, 2, 3, 4] }),
      /initializer 'w': has no element type \(data_type\)/,
    ],
    [
      "a negative dimension",
      w({ dims: [-2n, -2n], floatData: [1, 2, 3, 4] }),
      /initializer 'w': has dimension -2 \(dims\)/,
    ],
    [
      "too few raw bytes",
      w({ rawData: new Uint8Array(12) }),
      /raw_data holds 12 bytes, shape \[2,2\] of float32 wants 16/,
    ],
    ["too few typed elements", w({ floatData: [1, 2, 3] }), /holds 3 elements, shape \[2,2\] of float32 wants 4/],
    ["typed elements in the wrong field", w({ int32Data: [1, 2, 3, 4] }), /holds 0 elements/],
    [
      "dimensions whose product overflows",
      w({ dims: [2n ** 40n, 2n ** 40n], floatData: [1] }),
      /shape \[1099511627776,1099511627776\] is too large/,
    ],
    ["a shape of terabytes", w({ dims: [2n ** 20n, 2n ** 20n], rawData: new Uint8Array(4) }), /wants 4398046511104/],
    [
      "two versions of an operator set",
      model({ model: { opsetImport: [{ version: 17n }, { version: 18n }] } }),
      /imports versions 17 and 18/,
    ],
    [
      "invalid UTF-8 in a node",
      graphWith(field(1, field(1, Uint8Array.of(0xff, 0xfe)))),
      /node 1: field 1 is not valid UTF-8/,
    ],
    ["invalid UTF-8 in an input", graphWith(field(11, field(1, Uint8Array.of(0xff)))), /not valid UTF-8/],
    [
      "invalid UTF-8 in an initializer",
      graphWith(field(5, field(8, Uint8Array.of(0xc0)))),
      /initializer: field 8 is not valid UTF-8/,
    ],
    ["a number where a graph should be", Uint8Array.of(7 << 3, 1), /field 7 has wire type 0, expected 2/],
    [
      "a length beyond the end",
      Uint8Array.of((7 << 3) | 2, 0xff, 0xff, 0xff, 0xff, 0x0f),
      /field 7 wants 4294967295 bytes, 0 are left/,
    ],
    ["a varint without end", new Uint8Array(64).fill(0xff), /not a protobuf message/],
  ])("%s", (_, bytes, message) => {
    const error = errorOf(bytes);
    expect(error.code).toBe("bad-model");
    expect(error.message).toMatch(message);
  });

  it("stays one line whatever names hold", () => {
    const error = errorOf(model({ nodes: [node("Add", ["x", "a\nb\u2028c\u001b[31m"], ["y"])] }));
    expect(error.message).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(errorOf(model({ nodes: [node("Add", ["x", "n".repeat(100_000)], ["y"])] })).message.length).toBeLessThan(
      500,
    );
  });
});

describe("a hostile model", () => {
  it("may nest sub-graphs as deep as it likes", () => {
    let attributeBytes = toBinaryAttribute(new Uint8Array());
    for (let depth = 0; depth < 5_000; depth++) attributeBytes = toBinaryAttribute(field(1, field(5, attributeBytes)));
    const inner = new BinaryWriter()
      .raw(field(4, new TextEncoder().encode("If")))
      .raw(field(2, new TextEncoder().encode("z")))
      .raw(field(5, attributeBytes));
    const graph = decodeModel(graphWith(field(1, inner.finish())));
    expect(graph.nodes.at(-1)!.attributes.g!.kind).toBe("opaque");
  });

  it("may nest types as deep as it likes", () => {
    let type: Uint8Array = field(1, new Uint8Array());
    for (let depth = 0; depth < 10_000; depth++) type = field(4, field(1, type));
    const name = field(1, new TextEncoder().encode("deep"));
    const bytes = graphWith(field(11, Buffer.concat([name, field(2, type)])));
    expect(["bad-model", "unsupported"]).toContain(errorOf(bytes).code);
  });

  it("may nest unknown groups as deep as it likes", () => {
    const groups = new Uint8Array(400_000).fill((3 << 3) | 3);
    expect(errorOf(groups).code).toBe("bad-model");
  });

  it("gets no more memory than a few times its size", () => {
    const ints = new Uint8Array(5_000_000);
    const many = new BinaryWriter()
      .raw(field(7, ints))
      .tag(1, WireType.Varint)
      .int64(5_000_000)
      .tag(2, WireType.Varint)
      .int32(elem.int64);
    const before = process.memoryUsage();
    const { tensor } = decodeTensorFile(many.finish());
    const after = process.memoryUsage();
    expect(tensor.data.length).toBe(5_000_000);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(120e6);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(120e6);
  });

  it("may split a typed field into single elements", () => {
    const writer = new BinaryWriter().tag(1, WireType.Varint).int64(300_000).tag(2, WireType.Varint).int32(1);
    for (let i = 0; i < 300_000; i++) writer.tag(4, WireType.Bit32).float(i);
    const { tensor } = decodeTensorFile(writer.finish());
    expect([tensor.data[0], tensor.data[299_999]]).toEqual([0, 299_999]);
  });

  it("may list its nodes backwards", () => {
    const count = 30_000;
    const nodes = Array.from({ length: count }, (_, i) =>
      node("Relu", [i === 0 ? "x" : `v${i}`], [i === count - 1 ? "y" : `v${i + 1}`]),
    );
    expect(decodeModel(model({ nodes: nodes.reverse() })).nodes.at(-1)!.outputs).toEqual(["y"]);
  });
});

/** An attribute "g" whose graph is `graph`. */
function toBinaryAttribute(graph: Uint8Array): Uint8Array {
  return new BinaryWriter()
    .raw(field(1, new TextEncoder().encode("g")))
    .raw(field(6, graph))
    .tag(20, WireType.Varint)
    .int32(5)
    .finish();
}

describe("a tensor file", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(), /has no element type/],
    [
      "cut",
      toBinary(
        TensorProtoSchema,
        create(TensorProtoSchema, { dims: [2n], dataType: 1, rawData: new Uint8Array(8) }),
      ).subarray(0, 9),
      /damaged/,
    ],
    [
      "in another file",
      toBinary(
        TensorProtoSchema,
        create(TensorProtoSchema, {
          dims: [2n],
          dataType: 1,
          dataLocation: 1,
          externalData: [{ key: "location", value: "/etc/passwd" }],
        }),
      ),
      /not read from a folder/,
    ],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeTensorFile(bytes, "t.pb")).toThrowError(message);
  });
});
