/** What a file holds is there after reading, and again after writing. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { int, ints, tensorAttribute } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { GraphEdit } from "../../src/graph/edit.ts";
import { feeds, type Graph } from "../../src/graph/graph.ts";
import { removeDead } from "../../src/graph/order.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import {
  AttributeProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
} from "../../src/onnx/onnx_pb.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { attribute, elem, floats, int64s, modelBytes, node, openSession, runModel, value } from "./build-model.ts";

const relu = {
  opset: 17,
  inputs: [value("x", ["n", 3, ""])],
  outputs: [value("y", undefined)],
  nodes: [node("Relu", ["x"], ["y"])],
};

const parse = (bytes: Uint8Array): ModelProto => fromBinary(ModelProtoSchema, bytes);
const twice = (bytes: Uint8Array): [Graph, ModelProto] => {
  const graph = decodeModel(bytes);
  return [graph, parse(encodeModel(graph))];
};
/** `init` as a message with a field that the schema does not know. */
function withForeign<S extends DescMessage>(schema: S, init: MessageInitShape<S>, no: number): MessageShape<S> {
  return Object.assign(create(schema, init), { $unknown: [foreign(no)] });
}
const foreign = (no: number) => ({ no, wireType: WireType.LengthDelimited, data: Uint8Array.of(3, 1, 2, 255) });

describe("tensors", () => {
  const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  it.each([
    ["float32 typed", { dataType: 1, floatData: [1.5, -2] }, "float32", [1.5, -2]],
    ["float32 raw", { dataType: 1, rawData: bytesOf(Float32Array.of(1.5, -2)) }, "float32", [1.5, -2]],
    ["float64 typed", { dataType: 11, doubleData: [0.1, -2] }, "float64", [0.1, -2]],
    ["int64 typed", { dataType: 7, int64Data: [-5n, 2n ** 53n] }, "int64", [-5, 2 ** 53]],
    ["uint64 typed", { dataType: 13, uint64Data: [5n, 2n ** 52n] }, "uint64", [5, 2 ** 52]],
    ["uint32 typed", { dataType: 12, uint64Data: [5n, 4294967295n] }, "uint32", [5, 4294967295]],
    ["int32 typed", { dataType: 6, int32Data: [-5, 7] }, "int32", [-5, 7]],
    ["int16 typed", { dataType: 5, int32Data: [-5, 7] }, "int16", [-5, 7]],
    ["int8 typed", { dataType: 3, int32Data: [-128, 127] }, "int8", [-128, 127]],
    ["uint16 typed", { dataType: 4, int32Data: [65535, 7] }, "uint16", [65535, 7]],
    ["uint8 typed", { dataType: 2, int32Data: [255, 7] }, "uint8", [255, 7]],
    ["bool typed", { dataType: 9, int32Data: [1, 0] }, "bool", [1, 0]],
    ["bool raw, not 0 or 1", { dataType: 9, rawData: Uint8Array.of(0, 7) }, "bool", [0, 1]],
    ["float16 typed", { dataType: 10, int32Data: [0x3e00, 0xc000] }, "float16", [1.5, -2]],
    ["bfloat16 typed", { dataType: 16, int32Data: [0x3fc0, 0xc000] }, "bfloat16", [1.5, -2]],
  ] as const)("%s", (_, fields, dtype, values) => {
    const t = { name: "w", dims: [1n, 2n], ...fields };
    const bytes = modelBytes({ ...relu, initializers: [t as never] });
    const [graph, proto] = twice(bytes);
    const w = graph.initializers.get("w")!;
    expect({ dtype: w.dtype, shape: w.shape, values: [...toNumbers(w)] }).toEqual({ dtype, shape: [1, 2], values });
    expect(decodeModel(toBinary(ModelProtoSchema, proto)).initializers.get("w")).toEqual(w);
  });

  it("reads packed and unpacked typed fields alike", () => {
    const plain = new BinaryWriter().tag(1, WireType.Varint).int64(3).tag(2, WireType.Varint).int32(1);
    for (const v of [1, 2, 3]) plain.tag(4, WireType.Bit32).float(v);
    const initializer = plain.tag(8, WireType.LengthDelimited).string("w").finish();
    const graphBytes = new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(initializer).finish();
    const bytes = new BinaryWriter().raw(modelBytes(relu)).tag(7, WireType.LengthDelimited).bytes(graphBytes).finish();
    expect([...decodeModel(bytes).initializers.get("w")!.data]).toEqual([1, 2, 3]);
  });

  it("takes empty and scalar tensors", () => {
    const graph = decodeModel(
      modelBytes({ ...relu, initializers: [floats("none", [0, 4], []), floats("s", [], [7])] }),
    );
    expect(graph.initializers.get("none")).toEqual(tensorOf("float32", [0, 4], []));
    expect(graph.initializers.get("s")).toEqual(tensorOf("float32", [], [7]));
  });

  it("keeps a tensor's documentation and unknown fields", () => {
    const w = withForeign(TensorProtoSchema, { ...floats("w", [1], [1]), docString: "a weight" }, 77);
    const [, proto] = twice(modelBytes({ ...relu, initializers: [w as never] }));
    expect(proto.graph!.initializer[0]).toMatchObject({ name: "w", docString: "a weight", $unknown: [foreign(77)] });
  });

  it("carries strings, 8-bit floats and sparse tensors in Constant nodes", async () => {
    const spec = {
      ...relu,
      opset: 19,
      outputs: [value("y", undefined), value("t", [1], elem.float)],
      nodes: [node("Relu", ["x"], ["y"]), node("Cast", ["f8"], ["t"], [attribute.int("to", 1)])],
      initializers: [
        { name: "words", dims: [1n], dataType: elem.string, stringData: [Uint8Array.of(104, 105)] },
        { name: "f8", dims: [1n], dataType: elem.float8, rawData: Uint8Array.of(0x38) },
      ],
      graph: { sparseInitializer: [{ values: floats("sparse", [1], [3]), indices: int64s("", [1]), dims: [4n] }] },
    };
    const [graph, proto] = twice(modelBytes(spec));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Constant", "Constant", "Constant", "Relu", "Cast"]);
    expect(graph.opsets.get("")).toBe(19);
    const [words, f8, sparse] = proto.graph!.node.map((n) => n.attribute[0]);
    expect(words!.t!.stringData).toEqual([Uint8Array.of(104, 105)]);
    expect(f8!.t).toMatchObject({ dataType: elem.float8, rawData: Uint8Array.of(0x38) });
    expect(sparse!.sparseTensor).toMatchObject({ dims: [4n], values: { floatData: [3] } });
    await (await openSession(encodeModel(graph))).release();
  });
});

describe("inputs, outputs and dimensions", () => {
  it("names unknown dimensions '?' and writes them empty", () => {
    const [graph, proto] = twice(modelBytes(relu));
    expect(graph.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["n", 3, "?"] }]);
    expect(graph.outputs).toEqual([{ name: "y", dtype: "float32", shape: undefined }]);
    const { extra: _, ...plain } = graph;
    const shape = parse(encodeModel(plain)).graph!.input[0]!.type!.value;
    expect(shape.case === "tensorType" && shape.value.shape!.dim.map((d) => d.value.case)).toEqual([
      "dimParam",
      "dimValue",
      undefined,
    ]);
    expect(proto.graph!.input).toEqual(parse(modelBytes(relu)).graph!.input);
  });

  it("reads a dimension of -1 as unknown", () => {
    expect(decodeModel(modelBytes({ ...relu, inputs: [value("x", [-1, 3])] })).inputs[0]!.shape).toEqual(["?", 3]);
  });

  it("keeps documentation of an input, also where its shape changed", () => {
    const bytes = modelBytes({ ...relu, inputs: [{ ...value("x", [1, 3]), docString: "pixels" } as never] });
    const [graph, proto] = twice(bytes);
    expect(proto.graph!.input[0]).toEqual(parse(bytes).graph!.input[0]);
    const wider: Graph = { ...graph, inputs: [{ name: "x", dtype: "float32", shape: [8, 3] }] };
    expect(parse(encodeModel(wider)).graph!.input[0]!.docString).toBe("pixels");
    expect(decodeModel(encodeModel(wider)).inputs[0]!.shape).toEqual([8, 3]);
  });

  it("keeps an initializer that is an input too, and feeds only the others", () => {
    const spec = {
      ...relu,
      inputs: [value("x", [2]), value("w", [2])],
      nodes: [node("Add", ["x", "w"], ["y"])],
      initializers: [floats("w", [2], [1, 2])],
    };
    const [graph, proto] = twice(modelBytes(spec));
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x", "w"]);
    expect(feeds(graph).map(({ name }) => name)).toEqual(["x"]);
    expect(proto.graph!.input.map(({ name }) => name)).toEqual(["x", "w"]);
  });

  it("drops the listing of initializers among the inputs that formats before 4 asked for", () => {
    const spec = {
      ...relu,
      opset: 8,
      nodes: [node("Add", ["x", "w"], ["y"])],
      initializers: [floats("w", [3, 1], [1, 2, 3])],
    };
    expect(parse(modelBytes(spec)).graph!.input).toHaveLength(2);
    expect(decodeModel(modelBytes(spec)).inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it.each([
    ["a string input", { inputs: [value("x", [1], elem.string)] }, /graph input 'x' has type string/],
    [
      "a sequence output",
      { outputs: [{ name: "y", type: { value: { case: "sequenceType", value: {} } } } as never] },
      /graph output 'y' has type sequence/,
    ],
  ])("refuses %s", (_, change, message) => {
    expect(() => decodeModel(modelBytes({ ...relu, ...change }))).toThrowError(
      expect.objectContaining({ code: "unsupported", message: expect.stringMatching(message) }),
    );
  });
});

describe("nodes and attributes", () => {
  const decodeNode = (n: Parameters<typeof modelBytes>[0]["nodes"][number]) => {
    const bytes = modelBytes({ ...relu, nodes: [n] });
    const [graph, proto] = twice(bytes);
    return { was: parse(bytes).graph!.node[0]!, node: graph.nodes[0]!, is: proto.graph!.node[0]! };
  };

  it("decodes each kind", () => {
    const all = [
      attribute.int("a", -3),
      attribute.ints("b", [1, -2]),
      attribute.float("c", 0.1),
      attribute.floats("d", [0.5, -0]),
      attribute.string("e", "SAME_UPPER"),
      { name: "f", type: 8, strings: [Uint8Array.of(97), Uint8Array.of(98)] },
      attribute.tensor("g", { dims: [2n], dataType: 1, rawData: new Uint8Array(Float32Array.of(1, 2).buffer) }),
    ];
    const { was, node: n, is } = decodeNode(node("Op", ["x"], ["y"], all, { domain: "mine" }));
    expect(n.attributes).toEqual({
      a: int(-3),
      b: ints([1, -2]),
      c: { kind: "float", value: Math.fround(0.1) },
      d: { kind: "floats", value: [0.5, -0] },
      e: { kind: "string", value: "SAME_UPPER" },
      f: { kind: "strings", value: ["a", "b"] },
      g: tensorAttribute(tensorOf("float32", [2], [1, 2])),
    });
    expect(is).toEqual(was);
  });

  it("decodes an attribute without a type, as old writers left it, and writes back its bytes", () => {
    const { was, node: n, is } = decodeNode(node("Op", ["x"], ["y"], [{ name: "group", i: 2n }], { domain: "mine" }));
    expect(n.attributes.group).toMatchObject({ kind: "int", value: 2 });
    expect(is).toEqual(was);
  });

  it("decodes a documented attribute, and lets go of its bytes when the value changes", () => {
    const documented = { ...attribute.int("group", 2), docString: "groups" };
    const bytes = modelBytes({ ...relu, nodes: [node("Op", ["x"], ["y"], [documented], { domain: "mine" })] });
    const [graph, proto] = twice(bytes);
    expect(proto.graph!.node[0]!.attribute[0]!.docString).toBe("groups");
    const group = { ...graph.nodes[0]!.attributes.group!, value: 4 } as never;
    const changed: Graph = { ...graph, nodes: [{ ...graph.nodes[0]!, attributes: { group } }] };
    expect(parse(encodeModel(changed)).graph!.node[0]!.attribute[0]).toMatchObject({ i: 4n, docString: "" });
  });

  it("decodes a tensor attribute in a typed field with a name, and writes it back as it was", () => {
    const {
      was,
      node: n,
      is,
    } = decodeNode(node("Constant", [], ["y"], [attribute.tensor("value", floats("named", [2], [1, 2]))]));
    expect(n.attributes.value).toMatchObject({ kind: "tensor", value: tensorOf("float32", [2], [1, 2]) });
    expect(is).toEqual(was);
  });

  it.each([
    ["an integer beyond 2^53", attribute.ints("a", [2n ** 60n])],
    ["text that is not UTF-8", { name: "a", type: 3, s: Uint8Array.of(0xff) }],
    ["a sub-graph", { name: "a", type: 5, g: { name: "inner", node: [node("Relu", ["x"], ["z"])] } }],
    ["a reference to a function's attribute", { name: "a", type: 2, refAttrName: "outer" }],
    ["an unknown kind", { name: "a", type: 99 }],
    ["an unknown field", withForeign(AttributeProtoSchema, attribute.int("a", 1), 50) as never],
    ["several tensors", { name: "a", type: 9, tensors: [floats("", [1], [1])] }],
    ["a tensor of strings", attribute.tensor("a", { dims: [1n], dataType: 8, stringData: [Uint8Array.of(104)] })],
  ])("keeps the bytes of %s", (_, init) => {
    const { was, node: n, is } = decodeNode(node("Op", ["x"], ["y"], [init], { domain: "mine" }));
    expect(n.attributes.a!.kind).toBe("opaque");
    expect(n.attributes.a!.value).toEqual(toBinary(AttributeProtoSchema, was.attribute[0]!));
    expect(toBinary(NodeProtoSchema, is)).toEqual(toBinary(NodeProtoSchema, was));
  });

  it("keeps documentation, overload, metadata, absent inputs and unknown fields of a node", () => {
    const documented = node("Clip", ["x", "", "x"], ["y"], [], {
      domain: "mine",
      docString: "why",
      overload: "v2",
      metadataProps: [{ key: "k", value: "v" }],
    });
    const { was, is } = decodeNode(withForeign(NodeProtoSchema, documented, 60) as never);
    expect(was.$unknown).toHaveLength(1);
    expect(is).toEqual(was);
  });

  it("takes an attribute called __proto__ for a name like any other", () => {
    const { was, is } = decodeNode(node("Op", ["x"], ["y"], [attribute.int("__proto__", 1)], { domain: "mine" }));
    expect(is).toEqual(was);
  });

  it.each([
    [attribute.float("value_float", 1.5)],
    [attribute.floats("value_floats", [1.5, 2])],
    [attribute.int("value_int", 3)],
    [attribute.ints("value_ints", [3, 4])],
    [attribute.string("value_string", "s")],
    [
      {
        name: "sparse_value",
        type: 11,
        sparseTensor: { values: floats("", [1], [3]), indices: int64s("", [1]), dims: [4n] },
      },
    ],
  ])("keeps a Constant by %o", (init) => {
    const { was, is } = decodeNode(node("Constant", [], ["y"], [init]));
    expect(is).toEqual(was);
  });

  it("sorts nodes", () => {
    const nodes = [node("Relu", ["a"], ["y"]), node("Neg", ["x"], ["a"])];
    expect(decodeModel(modelBytes({ ...relu, nodes })).nodes.map(({ op }) => op)).toEqual(["Neg", "Relu"]);
  });

  it("reads 'ai.onnx' as ONNX's own domain", () => {
    const spec = {
      ...relu,
      nodes: [node("Relu", ["x"], ["y"], [], { domain: "ai.onnx" })],
      model: { opsetImport: [{ domain: "ai.onnx", version: 17n }] },
    };
    const graph = decodeModel(modelBytes(spec));
    expect(graph.nodes[0]!.domain).toBe("");
    expect([...graph.opsets]).toEqual([["", 17]]);
  });
});

describe("sub-graphs", () => {
  const constant = (name: string, v: number) => node("Constant", [], [name], [attribute.float("value_float", v)]);
  const branch = (name: string, nodes: ReturnType<typeof node>[], output: string) => ({
    name,
    type: 5,
    g: { name, node: nodes, output: [value(output, undefined)] },
  });
  /** Nested: the inner If of the else branch reads 'outer', the initializer 'w', and 'local' of the branch around it. */
  const nested = modelBytes({
    opset: 17,
    inputs: [value("x", [2]), value("c", [], elem.bool)],
    outputs: [value("y", undefined)],
    nodes: [
      node(
        "If",
        ["c"],
        ["y"],
        [
          branch("then_branch", [node("Neg", ["outer"], ["t"])], "t"),
          branch(
            "else_branch",
            [
              constant("local", 2),
              node(
                "If",
                ["c"],
                ["e"],
                [
                  branch("then_branch", [node("Mul", ["outer", "local"], ["p"])], "p"),
                  branch("else_branch", [node("Add", ["w", "local"], ["q"])], "q"),
                ],
              ),
            ],
            "e",
          ),
        ],
      ),
      node("Exp", ["x"], ["outer"]),
    ],
    initializers: [floats("w", [2], [1, 2])],
  });

  it("tell what they read, so that it is sorted before them and stays alive", () => {
    const graph = decodeModel(nested);
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Exp", "If"]);
    expect([...graph.nodes[1]!.captures!].sort()).toEqual(["c", "outer", "w"]);
    const kept = removeDead(graph);
    expect(kept.nodes).toHaveLength(2);
    expect([...kept.initializers.keys()]).toEqual(["w"]);
  });

  it("keep finding a value that was replaced", async () => {
    const graph = decodeModel(nested);
    const edit = new GraphEdit(graph);
    const made = edit.add({ op: "Tanh", domain: "", inputs: ["x"], outputs: [edit.fresh("other")], attributes: {} });
    edit.rename("outer", made.outputs[0]!);
    const changed = edit.apply();
    expect(changed.nodes.map(({ op, outputs }) => [op, ...outputs])).toEqual([
      ["Tanh", "outer"],
      ["If", "y"],
    ]);
    const feeds = { x: [2], c: new OrtTensor("bool", [true], []) };
    const was = await runModel(encodeModel(graph), feeds);
    const is = await runModel(encodeModel(changed), feeds);
    expect(Array.from(is.y!.data, Number)).not.toEqual(Array.from(was.y!.data, Number));
  });

  it("refuse a value nobody writes", () => {
    const spec = {
      ...relu,
      inputs: [value("c", [], elem.bool)],
      nodes: [node("If", ["c"], ["y"], [branch("then_branch", [node("Neg", ["gone"], ["t"])], "t")])],
    };
    expect(() => decodeModel(modelBytes(spec))).toThrowError(/If 'y' reads 'gone'/);
  });
});

describe("the rest of a model", () => {
  const rich = () => {
    const bytes = modelBytes({
      ...relu,
      irVersion: 10,
      nodes: [node("Relu", ["x"], ["r"]), node("Twice", ["r"], ["y"], [], { domain: "mine" })],
      graph: {
        docString: "a graph",
        valueInfo: [{ ...value("r", [1, 3, 4]), docString: "inner" } as never],
        quantizationAnnotation: [{ tensorName: "r", quantParameterTensorNames: [{ key: "SCALE_TENSOR", value: "x" }] }],
        metadataProps: [{ key: "graph", value: "level" }],
      },
      model: {
        domain: "org.example",
        modelVersion: 7n,
        producerVersion: "1.2",
        docString: "a model",
        opsetImport: [
          { domain: "", version: 17n },
          { domain: "mine", version: 3n },
        ],
        metadataProps: [{ key: "mean", value: "0.5" }],
        functions: [
          {
            name: "Twice",
            domain: "mine",
            input: ["a"],
            output: ["b"],
            node: [node("Add", ["a", "a"], ["b"])],
            opsetImport: [{ domain: "", version: 17n }],
          },
        ],
        trainingInfo: [{ algorithm: { name: "step" } }],
        configuration: [{ name: "c", numDevices: 2 }],
      },
    });
    const unknown = (no: number) =>
      new BinaryWriter()
        .tag(no, WireType.LengthDelimited)
        .bytes(Uint8Array.of(1, 2, 255))
        .finish();
    const inGraph = new BinaryWriter().tag(7, WireType.LengthDelimited).bytes(unknown(70)).finish();
    return new BinaryWriter().raw(bytes).raw(inGraph).raw(unknown(80)).finish();
  };

  it("survives, field by field", () => {
    const [graph, proto] = twice(rich());
    expect(graph.metadata).toEqual(new Map([["mean", "0.5"]]));
    expect(proto.$unknown).toHaveLength(1);
    expect(proto.graph!.$unknown).toHaveLength(1);
    expect(proto).toEqual(parse(rich()));
    expect(decodeModel(encodeModel(graph))).toEqual(graph);
  });

  it("gives functions to onnxruntime as they were", async () => {
    const bytes = modelBytes({
      ...relu,
      nodes: [node("Twice", ["x"], ["y"], [], { domain: "mine" })],
      model: {
        opsetImport: [
          { domain: "", version: 17n },
          { domain: "mine", version: 1n },
        ],
        functions: [
          {
            name: "Twice",
            domain: "mine",
            input: ["a"],
            output: ["b"],
            node: [node("Add", ["a", "a"], ["b"])],
            opsetImport: [{ domain: "", version: 17n }],
          },
        ],
      },
    });
    await (await openSession(encodeModel(decodeModel(bytes)))).release();
  });

  it("drops the types of inner values and annotations that a change made doubtful", () => {
    const graph = decodeModel(rich());
    const changed: Graph = {
      ...graph,
      nodes: graph.nodes.map((n) => ({
        ...n,
        inputs: n.inputs.map((i) => (i === "r" ? "q" : i)),
        outputs: n.outputs.map((o) => (o === "r" ? "q" : o)),
      })),
    };
    const proto = parse(encodeModel(changed)).graph!;
    expect(proto.valueInfo).toEqual([]);
    expect(proto.quantizationAnnotation).toEqual([]);
    expect(proto.docString).toBe("a graph");
  });

  it("writes the format version its opset asks for, and the file's own where unknown fields may need it", () => {
    expect(parse(encodeModel(decodeModel(modelBytes({ ...relu, irVersion: 10 })))).irVersion).toBe(8n);
    expect(parse(encodeModel(decodeModel(rich()))).irVersion).toBe(10n);
    expect(
      parse(encodeModel(decodeModel(modelBytes({ ...relu, opset: 20, nodes: [node("Gelu", ["x"], ["y"])] }))))
        .irVersion,
    ).toBe(9n);
  });

  it("writes a graph that was built, with an import for each domain", async () => {
    const b = new GraphBuilder("built");
    b.input("x", "float32", ["n", 2]);
    b.initializer("w", tensorOf("float32", [2, 1], [1, 2]));
    b.output(b.op("MatMul", ["x", "w"], {}, { name: "mm" }), { dtype: "float32", shape: ["n", 1] });
    const graph = b.build();
    const bytes = encodeModel(graph);
    const again = decodeModel(bytes);
    expect({ ...again, extra: undefined }).toEqual({ ...graph, extra: undefined });
    expect(parse(bytes).producerName).toBe("netpare");
    await (await openSession(bytes)).release();
    const foreignNode = { ...graph.nodes[0]!, domain: "netpare" };
    expect(parse(encodeModel({ ...graph, nodes: [foreignNode] })).opsetImport).toEqual(
      expect.arrayContaining([expect.objectContaining({ domain: "netpare", version: 1n })]),
    );
  });

  it("merges a graph that comes in two parts, as protobuf does", () => {
    const second = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { graph: { node: [node("Neg", ["y"], ["z"])] } }),
    );
    const graph = decodeModel(new BinaryWriter().raw(modelBytes(relu)).raw(second).finish());
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Relu", "Neg"]);
  });
});
