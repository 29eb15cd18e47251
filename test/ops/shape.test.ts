import { describe, expect, it } from "vitest";
import { float, floats, int, ints, string, tensorAttribute } from "../../src/graph/attributes.ts";
import type { Dim } from "../../src/graph/graph.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { int64s, type Tensor, tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { checkOps, type OpCase } from "./check-op.ts";

const fill = (value: number) => ({ value: tensorAttribute(tensorOf("int32", [1], [value])) });
const indices = (shape: readonly number[], values: readonly number[]) => tensorOf("int64", shape, values);
const int64 = (value: number) => indices([], [value]);
const float32s = (values: readonly number[]) => tensorOf("float32", [values.length], values);

const slices: OpCase[] = [
  { name: "default axes", inputs: [[3, 5], int64s([1, 2]), int64s([3, 4])] },
  { name: "negative axis and bounds", inputs: [[2, 3, 7], int64s([-5]), int64s([-1]), int64s([-1])] },
  { name: "ends far outside", inputs: [[4, 6], int64s([2]), int64s([2 ** 40]), int64s([1])] },
  {
    name: "steps of 2 on two axes that do not fit",
    inputs: [[2, 3, 7, 9], int64s([0, 1]), int64s([7, 9]), int64s([2, 3]), int64s([2, 3])],
  },
  { name: "a whole axis backwards", inputs: [[2, 5], int64s([-1]), int64s([-100]), int64s([1]), int64s([-1])] },
  { name: "negative step of 2", inputs: [[2, 8], int64s([6]), int64s([0]), int64s([1]), int64s([-2])] },
  {
    name: "nothing",
    runtime: /holds nothing/,
    inputs: [[2, 8], int64s([5]), int64s([5]), int64s([1])],
    gradient: false,
  },
  {
    name: "steps over an axis too long for a one-hot product",
    inputs: [[2, 400, 2], int64s([1]), int64s([400]), int64s([1]), int64s([2])],
  },
  { name: "one step far beyond the end", inputs: [[2, 8], int64s([3]), int64s([8]), int64s([1]), int64s([10])] },
].map((given) => ({ op: "Slice", ...given }));

const pads: OpCase[] = [
  { name: "all sides", inputs: [[2, 3, 4], int64s([1, 0, 2, 0, 3, 1])] },
  {
    name: "a value that is trained",
    runtime: /would have to be a constant/,
    inputs: [[2, 3], int64s([1, 0, 0, 2]), []],
  },
  { name: "negative amounts", inputs: [[4, 6], int64s([-1, 2, 0, -3])] },
  {
    name: "reflect",
    inputs: [[1, 2, 5, 4], int64s([0, 0, 3, 1, 0, 0, 2, 3])],
    attributes: { mode: string("reflect") },
  },
  { name: "edge", inputs: [[2, 3, 4], int64s([0, 1, 2, 2, 0, 1])], attributes: { mode: string("edge") } },
  {
    name: "wrap",
    inputs: [[2, 3, 4], int64s([0, 1, 2, 2, 0, 1])],
    attributes: { mode: string("wrap") },
    // Pad-17 has no such mode; later versions have.
    onnxruntime: false,
  },
  {
    name: "edge wide enough for a scatter-add",
    inputs: [[2, 180, 3], int64s([0, 20, 0, 0, 5, 0])],
    attributes: { mode: string("edge") },
  },
].map((given) => ({ op: "Pad", ...given }));

const gathers: OpCase[] = [
  { name: "a codebook with repeated entries", inputs: [[5], indices([3, 4], [0, 1, 1, 4, 2, 2, 2, 0, 1, 1, 1, 0])] },
  { name: "a scalar index", inputs: [[3, 4], int64(1)], attributes: { axis: int(1) } },
  { name: "channels, negative indices", inputs: [[2, 4, 3], int64s([-1, 0, 2, 0])], attributes: { axis: int(1) } },
  { name: "rows", inputs: [[6, 3], indices([2, 2], [5, 0, 0, 3])] },
  { name: "last axis", inputs: [[2, 3, 4], int64s([3, 3, 1])], attributes: { axis: int(-1) } },
  {
    name: "too many entries for a one-hot product",
    inputs: [[2, 500, 2], int64s(Array.from({ length: 80 }, (_, i) => (i * 7) % 30))],
    attributes: { axis: int(1) },
  },
].map((given) => ({ op: "Gather", ...given }));

const elements: OpCase[] = [
  {
    op: "GatherElements",
    name: "repeated and negative indices",
    inputs: [[3, 4], indices([2, 3], [0, -1, 2, 1, 1, 0])],
    attributes: { axis: int(1) },
  },
  { op: "GatherElements", name: "axis 0", inputs: [[3, 2], indices([4, 2], [0, 2, 2, 1, 0, 0, 2, 1])] },
  {
    op: "ScatterElements",
    name: "none",
    inputs: [[3, 4], indices([2, 3], [0, 3, 2, 1, -1, 0]), [2, 3]],
    attributes: { axis: int(-1) },
  },
  {
    op: "ScatterElements",
    name: "add with repeated indices",
    inputs: [[3, 4], indices([2, 3], [0, 1, 1, 1, 1, 0]), [2, 3]],
    attributes: { axis: int(1), reduction: string("add") },
  },
  {
    op: "ScatterElements",
    name: "mul",
    inputs: [[3, 2], indices([1, 2], [2, 0]), [1, 2]],
    attributes: { reduction: string("mul") },
    gradient: false,
  },
  ...["max", "min"].map((reduction) => ({
    op: "ScatterElements",
    name: reduction,
    inputs: [[3, 2], indices([1, 2], [2, 0]), [1, 2]],
    attributes: { reduction: string(reduction) },
    gradient: false,
    // ScatterElements-18 brought these reductions.
    onnxruntime: false,
  })),
  { op: "GatherND", name: "elements", inputs: [[2, 3], indices([2, 2], [0, 2, 1, -1])] },
  { op: "GatherND", name: "rows", inputs: [[2, 3, 2], indices([1, 2, 1], [1, 0])] },
  {
    op: "GatherND",
    name: "batch_dims",
    inputs: [[2, 3, 4], indices([2, 1], [2, 0])],
    attributes: { batch_dims: int(1) },
  },
];

checkOps("data movement", [
  {
    op: "Concat",
    name: "three inputs, middle axis",
    inputs: [
      [2, 1, 3],
      [2, 4, 3],
      [2, 2, 3],
    ],
    attributes: { axis: int(1) },
  },
  {
    op: "Concat",
    name: "negative axis, one constant",
    inputs: [[2, 3], tensor("float32", [2, 2])],
    attributes: { axis: int(-1) },
  },
  { op: "Concat", name: "one input", inputs: [[2, 3]], attributes: { axis: int(0) } },
  {
    op: "Split",
    name: "given sizes",
    inputs: [[2, 6, 3], int64s([1, 3, 2])],
    outputs: 3,
    attributes: { axis: int(1) },
  },
  { op: "Split", name: "equal parts, negative axis", inputs: [[4, 6]], outputs: 3, attributes: { axis: int(-1) } },
  ...slices,
  ...pads,
  ...gathers,
  ...elements,
  { op: "Transpose", name: "reversed by default", inputs: [[2, 3, 4]] },
  { op: "Transpose", name: "a cycle of axes", inputs: [[2, 3, 4, 5]], attributes: { perm: ints([1, 3, 0, 2]) } },
  { op: "Expand", name: "both ways", inputs: [[3, 1], int64s([2, 1, 4])] },
  { op: "Expand", name: "a shorter target", inputs: [[2, 3, 1], int64s([4])] },
  { op: "Tile", name: "all axes", inputs: [[2, 3], int64s([3, 2])] },
  { op: "Tile", name: "once", inputs: [[2, 3], int64s([1, 1])] },
]);

checkOps("shapes", [
  { op: "Reshape", name: "-1", inputs: [[2, 3, 4], int64s([4, -1])] },
  { op: "Reshape", name: "0 copies", inputs: [[2, 3, 4], int64s([0, -1, 2])] },
  {
    op: "Reshape",
    name: "allowzero",
    runtime: /holds nothing/,
    inputs: [tensor("float32", [0, 3]), int64s([3, 0])],
    attributes: { allowzero: int(1) },
  },
  { op: "Flatten", name: "default axis", inputs: [[2, 3, 4, 5]] },
  { op: "Flatten", name: "axis 0", inputs: [[2, 3]], attributes: { axis: int(0) } },
  { op: "Flatten", name: "negative axis", inputs: [[2, 3, 4]], attributes: { axis: int(-1) } },
  { op: "Flatten", name: "axis behind the last", inputs: [[2, 3]], attributes: { axis: int(2) } },
  { op: "Squeeze", name: "all", inputs: [[1, 3, 1, 2]] },
  { op: "Squeeze", name: "negative axis", inputs: [[1, 3, 1], int64s([-1])] },
  { op: "Unsqueeze", name: "unsorted and negative axes", inputs: [[3, 2], int64s([3, 0, -3])] },
  { op: "Constant", name: "tensor", inputs: [], attributes: fill(7) },
  { op: "Constant", name: "float", inputs: [], attributes: { value_float: float(0.5) } },
  { op: "Constant", name: "floats", inputs: [], attributes: { value_floats: floats([0.5, 2]) } },
  { op: "Constant", name: "int", inputs: [], attributes: { value_int: int(-3) } },
  { op: "Constant", name: "ints", inputs: [], attributes: { value_ints: ints([1, 2, 3]) } },
  { op: "ConstantOfShape", name: "zeros", inputs: [int64s([2, 3])] },
  {
    op: "ConstantOfShape",
    name: "an int32 value",
    runtime: /cannot hold its attribute value/,
    inputs: [int64s([3])],
    attributes: fill(5),
  },
  { op: "ConstantOfShape", name: "a scalar", inputs: [int64s([])] },
  { op: "Shape", name: "whole", inputs: [[2, 3, 4]], gradient: false },
  {
    op: "Shape",
    name: "start and end",
    inputs: [[2, 3, 4, 5]],
    attributes: { start: int(-3), end: int(-1) },
    gradient: false,
  },
  {
    op: "Shape",
    name: "start behind end",
    runtime: /holds nothing/,
    inputs: [[2, 3, 4]],
    attributes: { start: int(2), end: int(1) },
    gradient: false,
  },
  { op: "Size", name: "product", inputs: [[2, 3, 4]], gradient: false },
  { op: "Range", name: "int64", inputs: [int64(2), int64(11), int64(3)] },
  { op: "Range", name: "float downwards", inputs: [10, 4, -2].map((v) => tensorOf("float32", [], [v])) },
  { op: "OneHot", name: "last axis, negative index", inputs: [int64s([1, 0, -1]), int64(4), float32s([-1, 2])] },
  {
    op: "OneHot",
    name: "axis 1, an index outside",
    inputs: [indices([2, 2], [0, 9, 2, 1]), int64s([3]), float32s([0, 1])],
    attributes: { axis: int(1) },
  },
]);

/** Output shape of one operator with a possibly dynamic first input. */
function inferred(op: string, shape: readonly Dim[], constants: readonly Tensor[], attributes = {}) {
  const g = new TypedBuilder("case");
  const x = g.input("x", "float32", shape);
  return g.fact(g.op(op, [x, ...constants.map((t) => g.initializer("c", t))], attributes)).shape;
}

describe("dynamic dimensions", () => {
  it("a reshape keeps a symbolic batch", () => {
    expect(inferred("Reshape", ["N", 64, 4, 4], [int64s([-1, 1024])])).toEqual(["N", 1024]);
    expect(inferred("Reshape", ["N", 64, 4, 4], [int64s([0, -1])])).toEqual(["N", 1024]);
    expect(inferred("Reshape", ["N", 64, 4, 4], [int64s([-1, 64])])).toEqual(["?", 64]);
    expect(inferred("Flatten", ["N", 64, 4, 4], [])).toEqual(["N", 1024]);
  });

  it("a slice of a symbolic axis is known where it takes all of it", () => {
    const bounds = [int64s([0]), int64s([2 ** 40]), int64s([0])];
    expect(inferred("Slice", ["N", 3], bounds)).toEqual(["N", 3]);
    expect(inferred("Slice", ["N", 3], [int64s([1]), ...bounds.slice(1)])).toEqual(["?", 3]);
  });

  it("others leave what they do not know open", () => {
    expect(inferred("Pad", ["N", 3], [int64s([0, 1, 0, 0])])).toEqual(["N", 4]);
    expect(inferred("Tile", ["N", 3], [int64s([2, 1])])).toEqual(["?", 3]);
    expect(inferred("Expand", ["N", 1], [int64s([1, 5])])).toEqual(["N", 5]);
    expect(inferred("Gather", ["N", 3], [int64(0)], { axis: int(1) })).toEqual(["N"]);
    expect(inferred("Split", ["N", 3], [int64s([2])], { axis: int(0) })).toEqual([2, 3]);
  });

  it("the chain Shape, Gather, Unsqueeze, Concat, Reshape keeps the batch symbolic", () => {
    const g = new TypedBuilder("chain");
    const x = g.input("x", "float32", ["N", 8, 3, 3]);
    const batch = g.op("Gather", [g.op("Shape", [x]), g.initializer("i", int64(0))]);
    const list = g.op("Unsqueeze", [batch, g.initializer("axes", int64s([0]))]);
    const shape = g.op("Concat", [list, g.initializer("rest", int64s([-1]))], { axis: int(0) });
    expect(g.fact(shape).dims).toEqual(["N", -1]);
    expect(g.fact(g.op("Reshape", [x, shape])).shape).toEqual(["N", 72]);
  });

  it("the chain Shape, Slice, Concat, Squeeze keeps it too, and sizes follow", () => {
    const g = new TypedBuilder("chain");
    const x = g.input("x", "float32", ["N", 8, 3, 3]);
    const one = (value: number) => g.initializer("c", int64s([value]));
    const lead = g.op("Slice", [g.op("Shape", [x]), one(0), one(2), one(0)]);
    expect(g.fact(lead).dims).toEqual(["N", 8]);
    const shape = g.op("Concat", [lead, one(5)], { axis: int(0) });
    expect(g.fact(g.op("ConstantOfShape", [shape])).shape).toEqual(["N", 8, 5]);
    const batch = g.op("Squeeze", [g.op("Slice", [shape, one(0), one(1)])]);
    expect(
      g.fact(g.op("Range", [g.initializer("zero", int64(0)), batch, g.initializer("by", int64(1))])).shape,
    ).toEqual(["N"]);
  });
});

describe("what does not fit", () => {
  it.each([
    ["Reshape", [2, 3], [int64s([4, -1])], {}, "Reshape 'reshape': a tensor of shape [2,3] does not reshape to [4,-1]"],
    ["Squeeze", [2, 3], [int64s([0])], {}, "axis 0 has size 2, expected 1"],
    ["Transpose", [2, 3], [], { perm: ints([0, 0]) }, "perm [0,0] is no permutation of the 2 axes"],
    ["Pad", [2, 3], [int64s([1, 1])], {}, "pads has 2 numbers, expected 4"],
    ["Pad", [2, 3], [int64s([-3, 0, 0, 0])], {}, "cut more off than the 2 there are"],
    ["Concat", [2, 3], [tensor("float32", [2, 4])], { axis: int(0) }, "sizes 3 and 4 on axis 1"],
    ["Split", [5, 3], [int64s([4])], {}, "1 sizes with the sum 4, expected 1 with the sum 5"],
    ["Gather", [2, 3], [int64s([0])], { axis: int(2) }, "axis 2 is outside a tensor of rank 2"],
    ["Slice", [4], [int64s([0]), int64s([4]), int64s([0]), int64s([0])], {}, "a step is 0"],
  ] as const)("%s names it", (op, shape, constants, attributes, message) => {
    expect(() => inferred(op, shape, constants, attributes)).toThrow(message);
  });
});

describe("the reference moves every dtype", () => {
  it.each(["float16", "int64", "bool", "uint8"] as const)("%s", (dtype) => {
    const g = new TypedBuilder("dtypes");
    const x = g.initializer("x", tensorOf(dtype, [2, 2], [0, 1, 1, 0]));
    const pads = g.initializer("pads", int64s([0, 1, 0, 0]));
    g.output(g.op("Pad", [g.transpose(x, [1, 0]), pads, g.initializer("one", tensorOf(dtype, [], [1]))]));
    const graph = g.build();
    const y = evaluateGraph(graph, new Map()).get(graph.outputs[0]!.name)!;
    expect(y.dtype).toBe(dtype);
    expect([...toNumbers(y)]).toEqual([1, 0, 1, 1, 1, 0]);
  });
});
