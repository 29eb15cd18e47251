import { describe, expect, it } from "vitest";
import { float, int, ints, tensorAttribute } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import {
  constantsToInitializers,
  disableTraining,
  foldConstants,
  foldConstantsWith,
  freezeInitializers,
  type Pass,
  removeDeadNodes,
  removeIdentity,
  runPass,
  simplify,
} from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { int64s, type Tensor, tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { expectSameOutputs } from "./same-outputs.ts";

const random = createRandom(5);
const normal = (...shape: number[]): Tensor =>
  tensorOf(
    "float32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
const ops = (graph: Graph) => graph.nodes.map((node) => node.op);

/** Input x of `shape`, then what `write` makes of it, the output. */
function build(shape: readonly (number | string)[], write: (g: TypedBuilder) => string): Graph {
  const g = new TypedBuilder("net");
  g.input("x", "float32", shape);
  g.output(write(g));
  return g.build();
}

const constant = (g: TypedBuilder, t: Tensor) => g.op("Constant", [], { value: tensorAttribute(t) });

describe("constants-to-initializers", () => {
  it("turns Constant nodes into initializers under their names", () => {
    const graph = build([2, 3], (g) => g.add("x", constant(g, normal(3))));
    const { graph: after, changes } = runPass(constantsToInitializers, graph);
    expect(ops(after)).toEqual(["Add"]);
    expect([...after.initializers.keys()]).toEqual(["constant"]);
    expect(changes).toHaveLength(1);
    expectSameOutputs(graph, after, 0);
  });

  it("leaves a Constant that is an output, and one that holds strings", () => {
    const g = new TypedBuilder("net");
    g.output(constant(g, normal(2)));
    const strings = { value_strings: { kind: "strings", value: ["a"] } } as const;
    const graph = g.build();
    const withText: Graph = {
      ...graph,
      nodes: [
        ...graph.nodes,
        { name: "text", op: "Constant", domain: "", inputs: [], outputs: ["t"], attributes: strings },
      ],
    };
    const result = constantsToInitializers.apply(withText);
    expect(result.changes).toEqual([]);
    expect(result.skipped).toEqual([{ node: "Constant 'text'", reason: expect.stringContaining("strings") }]);
  });
});

describe("fold-constants", () => {
  it("computes shape arithmetic, so that a reshape target is constant", () => {
    const graph = build([2, 3, 4], (g) => {
      const dims = g.op("Shape", ["x"], { start: int(1) });
      const product = g.op("ReduceProd", [dims], { keepdims: int(1) });
      const target = g.op("Concat", [g.initializer("lead", int64s([2])), product], { axis: int(0) });
      return g.op("Reshape", ["x", target]);
    });
    const { graph: after } = runPass(foldConstants, graph);
    expect(ops(after)).toEqual(["Reshape"]);
    expect([...after.initializers.get(after.nodes[0]!.inputs[1]!)!.data]).toEqual([2n, 12n]);
    expectSameOutputs(graph, after, 0);
  });

  it("does not touch what a graph input feeds, unless it is frozen first", () => {
    const g = new TypedBuilder("net");
    g.input("x", "float32", [2, 3]);
    const c = g.initializer("c", normal(1, 3));
    g.inputs.push({ name: c, dtype: "float32", shape: [1, 3] });
    g.output(g.op("Concat", ["x", g.neg(c)], { axis: int(0) }));
    const graph = g.build();
    expect(runPass(foldConstants, graph).changes).toEqual([]);
    const frozen = runPass(freezeInitializers, graph).graph;
    expect(frozen.inputs.map((input) => input.name)).toEqual(["x"]);
    expect(ops(runPass(foldConstants, frozen).graph)).toEqual(["Concat"]);
  });

  it("keeps expressions over trained weights, except those that rearrange one", () => {
    const graph = build([2, 3], (g) => {
      const masked = g.mul(g.initializer("w", normal(4, 3)), g.initializer("mask", tensor("float32", [4, 3])));
      return g.op("Gemm", ["x", g.transpose(masked, [1, 0])]);
    });
    expect(runPass(foldConstants, graph).changes).toEqual([]);
    const all = runPass(foldConstantsWith({ parameters: true }), graph);
    expect(ops(all.graph)).toEqual(["Gemm"]);
    const plain = build([2, 3], (g) => g.op("Gemm", ["x", g.transpose(g.initializer("w", normal(4, 3)), [1, 0])]));
    const rearranged = runPass(foldConstants, plain);
    expect(ops(rearranged.graph)).toEqual(["Gemm"]);
    expectSameOutputs(plain, rearranged.graph, 0);
    const tied = build([2, 3], (g) => {
      const w = g.initializer("w", normal(4, 3));
      return g.op("Gemm", [g.op("Gemm", ["x", g.transpose(w, [1, 0])]), w]);
    });
    expect(runPass(foldConstants, tied).changes).toEqual([]);
  });

  it("says what is too large", () => {
    const graph = build([100], (g) => {
      const shape = g.initializer("shape", int64s([100]));
      return g.add("x", g.op("ConstantOfShape", [shape]));
    });
    const { changes, skipped } = runPass(foldConstantsWith({ maxElements: 99 }), graph);
    expect(changes).toEqual([]);
    expect(skipped[0]?.reason).toBe("its result has 100 elements, more than the limit of 99");
    expect(ops(runPass(foldConstants, graph).graph)).toEqual(["Add"]);
  });
});

describe("remove-identity", () => {
  const same: readonly [string, (g: TypedBuilder, x: string) => string][] = [
    ["Identity", (g, x) => g.op("Identity", [x])],
    ["Dropout", (g, x) => g.op("Dropout", [x])],
    ["Reshape", (g, x) => g.reshape(x, [2, 1, 3])],
    ["Transpose", (g, x) => g.transpose(x, [0, 1, 2])],
    ["Cast", (g, x) => g.op("Cast", [x], { to: int(1) })],
    ["Pad", (g, x) => g.op("Pad", [x, g.initializer("pads", int64s([0, 0, 0, 0, 0, 0]))])],
    ["Slice", (g, x) => g.op("Slice", [x, g.initializer("s", int64s([0])), g.initializer("e", int64s([9]))])],
    ["Concat", (g, x) => g.op("Concat", [x], { axis: int(1) })],
    ["Expand", (g, x) => g.op("Expand", [x, g.initializer("shape", int64s([3]))])],
    ["Tile", (g, x) => g.op("Tile", [x, g.initializer("repeats", int64s([1, 1, 1]))])],
    ["Sum", (g, x) => g.op("Sum", [x])],
  ];
  it.each(same)("%s that changes nothing", (op, write) => {
    const graph = build([2, 1, 3], (g) => g.op("Exp", [write(g, g.op("Relu", ["x"]))]));
    expect(ops(graph)).toContain(op);
    const after = simplify(graph).graph;
    expect(ops(after)).toEqual(["Relu", "Exp"]);
    expectSameOutputs(graph, after, 0);
  });

  const different: readonly [string, (g: TypedBuilder, x: string) => string][] = [
    ["a reversing Slice", (g, x) => g.op("Slice", [x, ...[-1, -9, 2, -1].map((n) => g.initializer("n", int64s([n])))])],
    ["a swap of equal axes", (g, x) => g.transpose(x, [0, 2, 1])],
    ["a Cast", (g, x) => g.op("Cast", [x], { to: int(11) })],
    ["a Pad and a cut", (g, x) => g.op("Pad", [x, g.initializer("pads", int64s([1, 0, 0, -1, 0, 0]))])],
  ];
  it.each(different)("keeps %s", (_, write) => {
    const graph = build([2, 3, 3], (g) => g.op("Exp", [write(g, "x")]));
    expect(runPass(removeIdentity, graph).changes).toEqual([]);
  });

  it("keeps a symbolic batch apart from a dimension nobody knows", () => {
    const flat = build(["N", 12], (g) => g.op("Exp", [g.op("Flatten", ["x"])]));
    expect(ops(simplify(flat).graph)).toEqual(["Exp"]);
    const unknown = build(["?", "?"], (g) => g.op("Exp", [g.op("Flatten", ["x"])]));
    expect(ops(simplify(unknown).graph)).toEqual(["Flatten", "Exp"]);
  });

  it("between a graph input and a graph output one Identity stays, and the passes come to rest", () => {
    const graph = build([2], (g) => g.op("Identity", [g.op("Identity", ["x"])]));
    const after = simplify(graph).graph;
    expect(ops(after)).toEqual(["Identity"]);
    expectSameOutputs(graph, after, 0);
  });

  it("keeps the names of outputs", () => {
    const g = new TypedBuilder("net");
    g.input("x", "float32", [2]);
    const a = g.op("Exp", ["x"]);
    g.output(g.op("Identity", [a], {}, { outputs: ["first"] }));
    g.output(g.op("Identity", [a], {}, { outputs: ["second"] }));
    const graph = g.build();
    const { graph: after, changes } = simplify(graph);
    expect(changes).toEqual(["Identity 'identity' changes nothing and was removed"]);
    expect(ops(after)).toEqual(["Exp", "Identity"]);
    expect(after.outputs.map((output) => output.name)).toEqual(["first", "second"]);
    expectSameOutputs(graph, after, 0);
  });

  it("joins two Transposes and two reshapes", () => {
    const twice = build([2, 3, 4], (g) => g.transpose(g.transpose("x", [1, 2, 0]), [0, 2, 1]));
    const once = simplify(twice).graph;
    expect(once.nodes).toHaveLength(1);
    expectSameOutputs(twice, once, 0);
    const inverse = build([2, 3, 4], (g) => g.op("Exp", [g.transpose(g.transpose("x", [1, 2, 0]), [2, 0, 1])]));
    expect(ops(simplify(inverse).graph)).toEqual(["Exp"]);
    const reshapes = build(["N", 3, 4], (g) =>
      g.op("Unsqueeze", [g.op("Flatten", ["x"]), g.initializer("a", int64s([1]))]),
    );
    const reshaped = simplify(reshapes).graph;
    expect(ops(reshaped)).toEqual(["Reshape"]);
    expect([...reshaped.initializers.values()][0]!.data).toEqual(int64s([0, 1, 12]).data);
    expectSameOutputs(reshapes, reshaped, 0);
  });
});

describe("remove-dead", () => {
  it("names what nothing reads", () => {
    const graph = build([2], (g) => {
      g.op("Exp", ["x"], {}, { name: "idle" });
      g.initializer("lost", normal(3));
      return g.op("Relu", ["x"]);
    });
    const { graph: after, changes } = runPass(removeDeadNodes, graph);
    expect(ops(after)).toEqual(["Relu"]);
    expect(changes).toEqual(["nothing reads Exp 'idle'", "nothing reads the initializer 'lost'"]);
  });
});

describe("disable-training", () => {
  const normalized = (outputs: number, read: boolean) =>
    build([2, 3, 4], (g) => {
      const vectors = ["scale", "bias", "mean", "var"].map((name) =>
        g.initializer(name, tensorOf("float32", [3], [1, 2, 3])),
      );
      const attributes = { training_mode: int(1), epsilon: float(1e-3) };
      const [y, mean] = g.node("BatchNormalization", ["x", ...vectors], outputs, attributes) as [string, string];
      const one = g.initializer("training", tensorOf("bool", [], [1]));
      const dropped = g.op("Dropout", [y, g.initializer("ratio", tensorOf("float32", [], [0.5])), one]);
      return read ? g.add(dropped, g.reshape(mean, [3, 1])) : dropped;
    });

  it("sets Dropout and BatchNormalization to inference", () => {
    const graph = normalized(3, false);
    const { graph: after, changes } = runPass(disableTraining, graph);
    expect(changes).toHaveLength(2);
    expect(after.nodes.map((node) => [node.inputs.length, node.outputs.length])).toEqual([
      [5, 1],
      [2, 1],
    ]);
    expect(after.nodes[0]!.attributes.training_mode).toEqual(int(0));
    expect(runPass(disableTraining, after).changes).toEqual([]);
  });

  it("refuses where the batch's statistics are read", () => {
    const { changes, skipped } = disableTraining.apply(normalized(3, true));
    expect(changes).toHaveLength(1);
    expect(skipped).toEqual([
      { node: "BatchNormalization 'batchnormalization'", reason: "something reads the statistics of the batch" },
    ]);
  });
});

describe("runPass and simplify", () => {
  const graph = build([2, 3], (g) => g.op("Relu", ["x"]));
  const broken = (name: string, change: (g: Graph) => Graph): Pass => ({
    name,
    apply: (g) => ({ graph: change(g), changes: ["broke it"], skipped: [] }),
  });

  it("name the pass that breaks a graph", () => {
    const dangling = broken("dangling", (g) => ({ ...g, nodes: [] }));
    expect(() => simplify(graph, [dangling])).toThrow(/the pass dangling broke the graph: .*written by nothing/);
    const reshaping = broken("reshaping", (g) => ({
      ...g,
      nodes: g.nodes.map((node) => ({ ...node, op: "Transpose", attributes: { perm: ints([1, 0]) } })),
    }));
    expect(() => simplify(graph, [reshaping])).toThrow("was float32[2,3] and is float32[3,2]");
  });

  it("say so when passes never come to rest", () => {
    expect(() => simplify(graph, [broken("restless", (g) => g)])).toThrow("did not come to rest, last: broke it");
  });
});
