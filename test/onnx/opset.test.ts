/** Every version rule: onnxruntime on the model at its own opset against onnxruntime on what we write after reading it. */
import { Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { type DecodeOptions, decodeModel, encodeModel } from "../../src/onnx/index.ts";
import {
  attribute,
  elem,
  floats,
  int64s,
  largestDifference,
  type ModelSpec,
  modelBytes,
  node,
  randomFloats,
  runModel,
  value,
} from "./build-model.ts";

const { int, ints, float, floats: floatList, string } = attribute;

interface RuleCase extends ModelSpec {
  readonly name: string;
  /** Input shapes; one float input "x" unless said otherwise. */
  readonly feeds: Readonly<Record<string, readonly number[] | OrtTensor>>;
  /** Operators of the graph in memory. */
  readonly becomes: readonly string[];
  /** Opset in memory; 17 where left out. */
  readonly kept?: number;
  readonly tolerance?: number;
}

const x = (...shape: number[]) => ({ inputs: [value("x", shape)], feeds: { x: shape } });
const y = { outputs: [value("y", undefined)] };
const one = (op: string, attributes: ReturnType<typeof int>[] = [], inputs = ["x"]) => [
  node(op, inputs, ["y"], attributes),
];
const channels = (count: number) =>
  ["scale", "bias", "mean", "variance"].map((name, i) =>
    floats(
      name,
      [count],
      randomFloats(count, 40 + i).map((v) => Math.abs(v) + 0.5),
    ),
  );
const bnInputs = ["x", "scale", "bias", "mean", "variance"];

const cases: RuleCase[] = [
  {
    name: "BatchNormalization 7, spatial = 1",
    opset: 7,
    ...x(2, 3, 4, 4),
    ...y,
    nodes: one("BatchNormalization", [int("spatial", 1)], bnInputs),
    initializers: channels(3),
    becomes: ["BatchNormalization"],
  },
  {
    name: "BatchNormalization 9 in training mode",
    opset: 9,
    ...x(2, 3, 4),
    ...y,
    nodes: [node("BatchNormalization", bnInputs, ["y", "m", "v", "sm", "sv"])],
    initializers: channels(3),
    becomes: ["BatchNormalization"],
  },
  {
    name: "Clip 6, both bounds",
    opset: 10,
    ...x(3, 5),
    ...y,
    nodes: one("Clip", [float("min", -0.5), float("max", 0.25)]),
    becomes: ["Clip"],
  },
  {
    name: "Clip 6, upper bound only",
    opset: 7,
    ...x(3, 5),
    ...y,
    nodes: one("Clip", [float("max", 0.25)]),
    becomes: ["Clip"],
  },
  { name: "Clip 6, no bound", opset: 7, ...x(3, 5), ...y, nodes: one("Clip"), becomes: ["Clip"] },
  {
    name: "Dropout 7",
    opset: 7,
    ...x(3, 5),
    ...y,
    nodes: [node("Dropout", ["x"], ["y", "mask"], [float("ratio", 0.25)])],
    becomes: ["Dropout"],
  },
  {
    name: "Dropout 10",
    opset: 10,
    ...x(3, 5),
    ...y,
    nodes: one("Dropout"),
    becomes: ["Dropout"],
  },
  {
    name: "Pad 2, constant",
    opset: 10,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Pad", [ints("pads", [0, 0, 1, 2, 0, 0, 3, 0]), float("value", 1.5)]),
    becomes: ["Pad"],
  },
  {
    name: "Pad 2, reflect",
    opset: 8,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Pad", [ints("pads", [0, 0, 1, 2, 0, 0, 2, 0]), string("mode", "reflect")]),
    becomes: ["Pad"],
  },
  {
    name: "Slice 1 to the end",
    opset: 9,
    ...x(4, 5, 6),
    ...y,
    nodes: one("Slice", [ints("starts", [1, -3]), ints("ends", [9223372036854775807n, -1]), ints("axes", [0, 2])]),
    becomes: ["Slice"],
  },
  {
    name: "Slice 1 without axes",
    opset: 7,
    ...x(4, 5),
    ...y,
    nodes: one("Slice", [ints("starts", [1, 0]), ints("ends", [3, 4])]),
    becomes: ["Slice"],
  },
  {
    name: "TopK 1",
    opset: 9,
    ...x(4, 6),
    outputs: [value("y", undefined), value("i", undefined, elem.int64)],
    nodes: [node("TopK", ["x"], ["y", "i"], [int("k", 3), int("axis", 1)])],
    becomes: ["TopK"],
  },
  {
    name: "Upsample 7, nearest",
    opset: 7,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Upsample", [floatList("scales", [1, 1, 2, 3])]),
    becomes: ["Resize"],
  },
  {
    name: "Upsample 9, linear",
    opset: 9,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Upsample", [string("mode", "linear")], ["x", "s"]),
    initializers: [floats("s", [4], [1, 1, 2, 2])],
    becomes: ["Resize"],
  },
  {
    name: "Upsample 9, nearest, fractional",
    opset: 9,
    ...x(1, 2, 5, 4),
    ...y,
    nodes: one("Upsample", [], ["x", "s"]),
    initializers: [floats("s", [4], [1, 1, 1.6, 2.5])],
    becomes: ["Resize"],
  },
  {
    name: "Resize 10, growing",
    opset: 10,
    ...x(1, 2, 5, 4),
    ...y,
    nodes: one("Resize", [], ["x", "s"]),
    initializers: [floats("s", [4], [1, 1, 1.6, 2.5])],
    becomes: ["Resize"],
  },
  {
    name: "Resize 10, shrinking",
    opset: 10,
    ...x(1, 2, 8, 9),
    ...y,
    nodes: one("Resize", [], ["x", "s"]),
    initializers: [floats("s", [4], [1, 1, 0.5, 0.4])],
    becomes: ["Resize"],
  },
  {
    name: "Resize 10, linear",
    opset: 10,
    ...x(1, 2, 8, 9),
    ...y,
    nodes: one("Resize", [string("mode", "linear")], ["x", "s"]),
    initializers: [floats("s", [4], [1, 1, 0.6, 1.7])],
    becomes: ["Resize"],
  },
  {
    name: "Resize 11 by sizes with empty roi and scales",
    opset: 11,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Resize", [], ["x", "e", "e", "z"]),
    initializers: [floats("e", [0], []), int64s("z", [1, 2, 5, 7])],
    becomes: ["Resize"],
  },
  {
    name: "Resize 11, tf_half_pixel_for_nn",
    opset: 11,
    ...x(1, 2, 5, 7),
    ...y,
    nodes: one(
      "Resize",
      [string("coordinate_transformation_mode", "tf_half_pixel_for_nn"), string("nearest_mode", "floor")],
      ["x", "e", "s"],
    ),
    initializers: [floats("e", [0], []), floats("s", [4], [1, 1, 1.5, 0.7])],
    becomes: ["Resize"],
  },
  { name: "Softmax 1 on the last axis", opset: 7, ...x(3, 5), ...y, nodes: one("Softmax"), becomes: ["Softmax"] },
  {
    name: "Softmax 11 over the rest",
    opset: 11,
    ...x(2, 3, 4),
    ...y,
    nodes: one("Softmax", [int("axis", 1)]),
    becomes: ["Shape", "Flatten", "Softmax", "Reshape"],
  },
  {
    name: "Softmax 1 over everything",
    opset: 9,
    ...x(2, 3),
    ...y,
    nodes: one("Softmax", [int("axis", 0)]),
    becomes: ["Shape", "Flatten", "Softmax", "Reshape"],
  },
  {
    name: "Softmax 11 with spatial dimensions of 1",
    opset: 11,
    ...x(2, 6, 1, 1),
    ...y,
    nodes: one("Softmax"),
    becomes: ["Softmax"],
  },
  {
    name: "Softmax 11 behind a global pool",
    opset: 11,
    ...x(2, 6, 3, 3),
    ...y,
    nodes: [node("GlobalAveragePool", ["x"], ["p"]), node("Softmax", ["p"], ["y"])],
    becomes: ["GlobalAveragePool", "Softmax"],
  },
  {
    name: "Softmax 12, unknown rank",
    opset: 12,
    inputs: [value("x", undefined)],
    feeds: { x: [2, 3, 4] },
    ...y,
    nodes: one("Softmax", [int("axis", 2)]),
    becomes: ["Shape", "Flatten", "Softmax", "Reshape"],
  },
  {
    name: "LogSoftmax 11, negative axis",
    opset: 11,
    ...x(2, 3, 4),
    ...y,
    nodes: one("LogSoftmax", [int("axis", -2)]),
    becomes: ["Shape", "Flatten", "LogSoftmax", "Reshape"],
  },
  {
    name: "Hardmax 11",
    opset: 11,
    ...x(2, 3, 4),
    ...y,
    nodes: one("Hardmax"),
    becomes: ["Shape", "Flatten", "Hardmax", "Reshape"],
  },
  {
    name: "ReduceSum 11",
    opset: 11,
    ...x(2, 3, 4),
    ...y,
    nodes: one("ReduceSum", [ints("axes", [0, -1]), int("keepdims", 0)]),
    becomes: ["ReduceSum"],
  },
  { name: "ReduceSum 11 over all", opset: 11, ...x(2, 3, 4), ...y, nodes: one("ReduceSum"), becomes: ["ReduceSum"] },
  {
    name: "ReduceMean 11",
    opset: 11,
    ...x(2, 3, 4),
    ...y,
    nodes: one("ReduceMean", [ints("axes", [2])]),
    becomes: ["ReduceMean"],
  },
  {
    name: "Squeeze and Unsqueeze 11",
    opset: 11,
    ...x(2, 1, 4),
    ...y,
    nodes: [
      node("Squeeze", ["x"], ["s"], [ints("axes", [1])]),
      node("Unsqueeze", ["s"], ["y"], [ints("axes", [0, 3])]),
    ],
    becomes: ["Squeeze", "Unsqueeze"],
  },
  { name: "Squeeze 11 of every 1", opset: 11, ...x(2, 1, 4), ...y, nodes: one("Squeeze"), becomes: ["Squeeze"] },
  {
    name: "Split 11 with lengths",
    opset: 11,
    ...x(2, 6),
    outputs: [value("y", undefined), value("z", undefined)],
    nodes: [node("Split", ["x"], ["y", "z"], [ints("split", [2, 4]), int("axis", 1)])],
    becomes: ["Split"],
  },
  {
    name: "Split 2 evenly",
    opset: 7,
    ...x(2, 6),
    outputs: [value("y", undefined), value("z", undefined)],
    nodes: [node("Split", ["x"], ["y", "z"], [int("axis", 1)])],
    becomes: ["Split"],
  },
  {
    name: "Scatter 9",
    opset: 9,
    ...x(3, 3),
    ...y,
    nodes: one("Scatter", [int("axis", 1)], ["x", "i", "u"]),
    initializers: [{ ...int64s("i", [1, 2]), dims: [1n, 2n] }, floats("u", [1, 2], [7, 8])],
    becomes: ["ScatterElements"],
  },
  {
    name: "RoiAlign 10",
    opset: 11,
    ...x(1, 2, 6, 6),
    ...y,
    nodes: one(
      "RoiAlign",
      [int("output_height", 2), int("output_width", 2), int("sampling_ratio", 2)],
      ["x", "rois", "batch"],
    ),
    initializers: [floats("rois", [1, 4], [0.5, 0.5, 4, 3]), int64s("batch", [0])],
    becomes: ["RoiAlign"],
  },
  {
    name: "AveragePool 7",
    opset: 7,
    ...x(1, 2, 5, 5),
    ...y,
    nodes: one("AveragePool", [ints("kernel_shape", [3, 3]), ints("pads", [1, 1, 1, 1])]),
    becomes: ["AveragePool"],
  },
  {
    name: "MaxPool 8",
    opset: 8,
    ...x(1, 2, 5, 5),
    ...y,
    nodes: one("MaxPool", [ints("kernel_shape", [2, 2]), ints("strides", [2, 2])]),
    becomes: ["MaxPool"],
  },
  {
    name: "Gemm 7 and Flatten 1",
    opset: 7,
    ...x(2, 2, 3),
    ...y,
    nodes: [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], [int("transB", 1)])],
    initializers: [floats("w", [4, 6], randomFloats(24, 9)), floats("b", [4], [1, 2, 3, 4])],
    becomes: ["Flatten", "Gemm"],
  },
  {
    name: "Reshape 5 by a Constant 1",
    opset: 8,
    ...x(2, 6),
    ...y,
    nodes: [
      node("Constant", [], ["s"], [attribute.tensor("value", int64s("", [3, -1]))]),
      node("Reshape", ["x", "s"], ["y"]),
    ],
    becomes: ["Constant", "Reshape"],
  },
  {
    name: "Cast 6",
    opset: 8,
    ...x(2, 3),
    outputs: [value("y", undefined, elem.int32)],
    nodes: one("Cast", [int("to", elem.int32)]),
    becomes: ["Cast"],
  },
  {
    name: "ReduceMean 18",
    opset: 18,
    ...x(2, 3, 4),
    ...y,
    nodes: one("ReduceMean", [int("noop_with_empty_axes", 0)], ["x", "a"]),
    initializers: [int64s("a", [0, 2])],
    becomes: ["ReduceMean"],
  },
  { name: "ReduceMax 18 over all", opset: 18, ...x(2, 3, 4), ...y, nodes: one("ReduceMax"), becomes: ["ReduceMax"] },
  {
    name: "ReduceL2 18, axes from a Constant",
    opset: 20,
    ...x(2, 3, 4),
    ...y,
    nodes: [
      node("Constant", [], ["a"], [ints("value_ints", [1])]),
      node("ReduceL2", ["x", "a"], ["y"], [int("keepdims", 0)]),
    ],
    becomes: ["Constant", "ReduceL2"],
  },
  {
    name: "ReduceMean 18, axes that are fed",
    opset: 18,
    inputs: [value("x", [2, 3]), value("a", [1], elem.int64)],
    feeds: { x: [2, 3], a: new OrtTensor("int64", BigInt64Array.of(1n), [1]) },
    ...y,
    nodes: one("ReduceMean", [], ["x", "a"]),
    becomes: ["ReduceMean"],
    kept: 18,
  },
  {
    name: "Split 18 evenly",
    opset: 18,
    ...x(2, 6),
    outputs: [value("y", undefined), value("z", undefined)],
    nodes: [node("Split", ["x"], ["y", "z"], [int("num_outputs", 2), int("axis", 1)])],
    becomes: ["Split"],
  },
  {
    name: "Split 18, last part smaller",
    opset: 18,
    ...x(2, 7),
    outputs: [value("y", undefined), value("z", undefined)],
    nodes: [node("Split", ["x"], ["y", "z"], [int("num_outputs", 2), int("axis", -1)])],
    becomes: ["Split"],
  },
  {
    name: "Split 18, unknown length",
    opset: 18,
    inputs: [value("x", ["n", "m"])],
    feeds: { x: [2, 7] },
    outputs: [value("y", undefined), value("z", undefined)],
    nodes: [node("Split", ["x"], ["y", "z"], [int("num_outputs", 2), int("axis", 1)])],
    becomes: ["Split"],
    kept: 18,
  },
  {
    name: "Pad 18 of some axes",
    opset: 18,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Pad", [], ["x", "p", "v", "a"]),
    initializers: [int64s("p", [1, 2, 0, 3]), floats("v", [], [2.5]), int64s("a", [-2, 3])],
    becomes: ["Pad"],
  },
  {
    name: "Pad 19, wrap",
    opset: 19,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Pad", [string("mode", "wrap")], ["x", "p"]),
    initializers: [int64s("p", [0, 0, 1, 1, 0, 0, 1, 1])],
    becomes: ["Pad"],
    kept: 19,
  },
  {
    name: "Resize 18 of some axes by scales",
    opset: 18,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one(
      "Resize",
      [ints("axes", [2, 3]), string("keep_aspect_ratio_policy", "stretch"), int("antialias", 0)],
      ["x", "", "s"],
    ),
    initializers: [floats("s", [2], [2, 3])],
    becomes: ["Resize"],
  },
  {
    name: "Resize 19 of some axes by sizes",
    opset: 19,
    ...x(1, 2, 3, 4),
    ...y,
    nodes: one("Resize", [ints("axes", [3, -2]), string("mode", "linear")], ["x", "", "", "z"]),
    initializers: [int64s("z", [6, 5])],
    becomes: ["Resize"],
  },
  {
    name: "Resize 18 with antialiasing",
    opset: 18,
    ...x(1, 1, 6, 6),
    ...y,
    nodes: one("Resize", [string("mode", "linear"), int("antialias", 1)], ["x", "", "s"]),
    initializers: [floats("s", [4], [1, 1, 0.5, 0.5])],
    becomes: ["Resize"],
    kept: 18,
  },
  {
    name: "AveragePool 19 without dilation",
    opset: 19,
    ...x(1, 2, 5, 5),
    ...y,
    nodes: one("AveragePool", [ints("kernel_shape", [2, 2]), ints("dilations", [1, 1])]),
    becomes: ["AveragePool"],
    tolerance: 1e-6,
  },
  {
    name: "AveragePool 19 with dilation",
    opset: 19,
    ...x(1, 2, 5, 5),
    ...y,
    nodes: one("AveragePool", [ints("kernel_shape", [2, 2]), ints("dilations", [2, 2])]),
    becomes: ["AveragePool"],
    kept: 19,
  },
  {
    name: "Cast 19",
    opset: 19,
    ...x(2, 3),
    outputs: [value("y", undefined, elem.int32)],
    nodes: one("Cast", [int("to", elem.int32), int("saturate", 1)]),
    becomes: ["Cast"],
  },
  {
    name: "QuantizeLinear and DequantizeLinear 21",
    opset: 21,
    ...x(2, 3),
    ...y,
    nodes: [
      node("QuantizeLinear", ["x", "s", "z"], ["q"], [int("saturate", 1), int("block_size", 0)]),
      node("DequantizeLinear", ["q", "s", "z"], ["y"], [int("block_size", 0)]),
    ],
    initializers: [floats("s", [], [0.02]), { name: "z", dims: [], dataType: elem.uint8, int32Data: [128] }],
    becomes: ["QuantizeLinear", "DequantizeLinear"],
  },
  {
    name: "GridSample 20",
    opset: 20,
    ...x(1, 1, 4, 4),
    ...y,
    nodes: one("GridSample", [string("mode", "linear")], ["x", "g"]),
    initializers: [floats("g", [1, 2, 2, 2], [-0.5, 0.5, 0.1, 0.2, 0.9, -0.9, 0, 0])],
    becomes: ["GridSample"],
  },
  {
    name: "ScatterElements 18, adding",
    opset: 18,
    ...x(3, 3),
    ...y,
    nodes: one("ScatterElements", [string("reduction", "add")], ["x", "i", "u"]),
    initializers: [{ ...int64s("i", [1, 2]), dims: [1n, 2n] }, floats("u", [1, 2], [7, 8])],
    becomes: ["ScatterElements"],
  },
  {
    name: "ScatterElements 18, maximum",
    opset: 18,
    ...x(3, 3),
    ...y,
    nodes: one("ScatterElements", [string("reduction", "max")], ["x", "i", "u"]),
    initializers: [{ ...int64s("i", [1, 2]), dims: [1n, 2n] }, floats("u", [1, 2], [7, 8])],
    becomes: ["ScatterElements"],
    kept: 18,
  },
  {
    name: "Conv 22 and Relu",
    opset: 22,
    ...x(1, 2, 5, 5),
    ...y,
    nodes: [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["y"])],
    initializers: [floats("w", [3, 2, 3, 3], randomFloats(54, 8))],
    becomes: ["Conv", "Relu"],
  },
  {
    name: "Gelu 20 beside reductions and splits",
    opset: 20,
    ...x(2, 6),
    outputs: [value("y", undefined), value("z", undefined), value("w", undefined)],
    nodes: [
      node("Gelu", ["x"], ["g"]),
      node("Split", ["g"], ["y", "z"], [int("num_outputs", 2), int("axis", 1)]),
      node("ReduceMean", ["g", "a"], ["w"], [int("keepdims", 0)]),
    ],
    initializers: [int64s("a", [1])],
    becomes: ["Gelu", "Split", "ReduceMean"],
    kept: 20,
  },
];

describe("version conversion, against onnxruntime on the file as it was", () => {
  for (const given of cases)
    it(given.name, async () => {
      const bytes = modelBytes(given);
      const graph = decodeModel(bytes);
      expect(graph.nodes.map(({ op }) => op)).toEqual(given.becomes);
      expect(graph.opsets.get("")).toBe(given.kept ?? 17);
      const expected = await runModel(bytes, given.feeds);
      const got = await runModel(encodeModel(graph), given.feeds);
      expect(Object.keys(got)).toEqual(Object.keys(expected));
      for (const [name, { type, dims, data }] of Object.entries(expected)) {
        expect({ type: got[name]!.type, dims: got[name]!.dims }).toEqual({ type, dims });
        expect(largestDifference(data, got[name]!.data), `output ${name}`).toBeLessThanOrEqual(given.tolerance ?? 0);
      }
    });
});

describe("the form in memory", () => {
  const decode = (spec: ModelSpec, options?: DecodeOptions): Graph => decodeModel(modelBytes(spec), options);

  it("keeps the reduction's axes as an attribute and writes them as an input above opset 17", () => {
    const graph = decode({ ...cases.find(({ name }) => name.startsWith("Gelu"))! });
    expect(graph.nodes[2]!.attributes.axes).toEqual({ kind: "ints", value: [1] });
    expect(graph.nodes[1]!.attributes.num_outputs).toBeUndefined();
    const again = decodeModel(encodeModel(graph));
    expect(again.nodes).toEqual(graph.nodes);
  });

  it("keeps its own opset where the caller does not know an operator", () => {
    const spec = { opset: 21, ...x(2, 3), ...y, nodes: one("Erf") };
    expect(decode(spec).opsets.get("")).toBe(17);
    expect(decode(spec, { knownOperators: new Set(["Erf"]) }).opsets.get("")).toBe(17);
    expect(decode(spec, { knownOperators: new Set(["Relu"]) }).opsets.get("")).toBe(21);
  });

  const mine = (opset: number, body: ReturnType<typeof node>) => ({
    opset,
    irVersion: 8,
    ...x(2, 3),
    ...y,
    nodes: [node("F", ["x"], ["y"], [], { domain: "mine" })],
    model: {
      opsetImport: [{ version: BigInt(opset) }, { domain: "mine", version: 1n }],
      functions: [
        {
          name: "F",
          domain: "mine",
          input: ["a"],
          output: ["b"],
          node: [body],
          opsetImport: [{ version: BigInt(opset) }],
        },
      ],
    },
  });

  it("leaves functions to onnxruntime in an opset that their operators have", async () => {
    for (const [spec, kept] of [
      [mine(20, node("ReduceMean", ["a"], ["b"])), 20],
      [mine(20, node("Gelu", ["a"], ["b"])), 20],
      [mine(20, node("Relu", ["a"], ["b"])), 17],
      [mine(11, node("Relu", ["a"], ["b"])), 17],
    ] as const) {
      const graph = decode(spec);
      expect(graph.opsets.get("")).toBe(kept);
      expect(await runModel(encodeModel(graph), spec.feeds)).toEqual(await runModel(modelBytes(spec), spec.feeds));
    }
    expect(() => decode(mine(11, node("Softmax", ["a"], ["b"])))).toThrowError(
      /function of the model holds Softmax of opset 11/,
    );
  });

  it("gives Clip's bounds the type of what is clipped", () => {
    const spec = {
      opset: 9,
      inputs: [value("x", [2], elem.float16)],
      outputs: [value("y", [2], elem.float16)],
      nodes: one("Clip", [float("min", 0)]),
    };
    const graph = decode(spec);
    expect(graph.initializers.get(graph.nodes[0]!.inputs[1]!)!.dtype).toBe("float16");
  });

  it.each([
    ["an opset before 7", { opset: 6, ...x(2), ...y, nodes: one("Relu") }, /opset 6.*7 to 27/],
    ["an opset after 27", { opset: 28, ...x(2), ...y, nodes: one("Relu") }, /opset 28.*7 to 27/],
    [
      "statistics per activation",
      {
        opset: 8,
        ...x(2, 2, 2),
        ...y,
        nodes: one("BatchNormalization", [int("spatial", 0)], bnInputs),
        initializers: ["scale", "bias", "mean", "variance"].map((name) => floats(name, [2, 2], [1, 1, 1, 1])),
      },
      /BatchNormalization 'y'.*per activation/,
    ],
    [
      "saved statistics that are read",
      {
        opset: 9,
        ...x(2, 3),
        outputs: [value("y", undefined), value("s", undefined)],
        nodes: [node("BatchNormalization", bnInputs, ["y", "m", "v", "s"])],
        initializers: channels(3),
      },
      /its output 's' is read/,
    ],
    [
      "a mask of an old Dropout that is read",
      { opset: 10, ...x(3), outputs: [value("mask", [3], elem.bool)], nodes: [node("Dropout", ["x"], ["y", "mask"])] },
      /its mask 'mask' is read/,
    ],
    [
      "a sub-graph of an old opset",
      {
        opset: 11,
        inputs: [value("c", [], elem.bool)],
        ...y,
        nodes: [
          node(
            "If",
            ["c"],
            ["y"],
            ["then_branch", "else_branch"].map((name) => ({
              name,
              type: 5,
              g: {
                name,
                node: [
                  node("Constant", [], ["k"], [attribute.tensor("value", floats("", [1], [1]))]),
                  node("Softmax", ["k"], ["o"]),
                ],
                output: [value("o", [1])],
              },
            })),
          ),
        ],
      },
      /sub-graph 'then_branch' holds Softmax of opset 11/,
    ],
  ] as [string, ModelSpec, RegExp][])("refuses %s", (_, spec, message) => {
    expect(() => decode(spec)).toThrowError(
      expect.objectContaining({ name: "NetpareError", code: "unsupported", message: expect.stringMatching(message) }),
    );
  });

  it("refuses a model that imports no operator set", () => {
    const spec = { opset: 17, ...x(2), ...y, nodes: one("Relu"), model: { opsetImport: [] } };
    expect(() => decode(spec)).toThrowError(
      expect.objectContaining({ code: "bad-model", message: expect.stringMatching(/imports no version/) }),
    );
  });
});
