import { describe, expect, it } from "vitest";
import {
  analyzeCost,
  type ChannelClass,
  type ChannelFamily,
  findChannelGroups,
  removeChannels,
} from "../../src/analysis/index.ts";
import { int } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { inferFacts } from "../../src/ops/infer.ts";
import { stridesOf } from "../../src/tensor/shape.ts";
import { int64s, type Tensor, tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { expectClose, runOnnxruntime } from "../ops/check-op.ts";
import { expectSameOutputs, randomFeeds } from "../passes/same-outputs.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { Net } from "./nets.ts";

/** The graph with the float initializers of `classes` set to zero. */
function zeroed(graph: Graph, classes: readonly ChannelClass[]): Graph {
  const initializers = new Map(graph.initializers);
  for (const { members } of classes)
    for (const { value, axis, indices, initializer } of members) {
      const held: Tensor | undefined = initializers.get(value);
      if (!initializer || held === undefined || held.dtype !== "float32") continue;
      const gone = new Set(indices);
      const stride = stridesOf(held.shape)[axis]!;
      const dim = held.shape[axis]!;
      const values = toNumbers(held).map((v, i) => (gone.has(Math.floor(i / stride) % dim) ? 0 : v));
      initializers.set(value, tensorOf(held.dtype, held.shape, values));
    }
  return { ...graph, initializers };
}

/** Removes the given channels of each family, which were set to zero, and compares outputs. */
function expectRemovable(graph: Graph, families: readonly ChannelFamily[], which: readonly number[]): Graph {
  const classes = families.flatMap((family) => which.map((at) => family.classes[at]!));
  const silent = zeroed(graph, classes);
  const cut = removeChannels(silent, classes);
  expectSameOutputs(silent, cut, 1e-6);
  return cut;
}

/** Which axes of initializers a family runs through, as `name/axis` or `name/axis×slots`. */
const weightsOf = (graph: Graph, family: ChannelFamily) =>
  family.axes
    .filter(({ value }) => graph.initializers.has(value))
    .map(({ value, axis, slots }) => `${value}/${axis}${slots > 1 ? `×${slots}` : ""}`)
    .sort();
const sizes = (families: readonly ChannelFamily[]) => families.map((family) => family.classes.length);
const shapeOf = (graph: Graph, name: string) => inferFacts(graph).get(name)?.shape;

describe("channel groups", () => {
  it("a chain of convolutions: each inner layer is one family", () => {
    const net = new Net(["N", 3, 6, 6]);
    const a = net.relu(net.batchnorm("bn", net.conv("a", "x", 8, 3)));
    const graph = net.done(
      net.conv(
        "b",
        net.op("MaxPool", [net.conv("mid", a, 6)], { kernel_shape: { kind: "ints", value: [2, 2] } }),
        4,
        3,
      ),
    );
    const { families, pinned, classes } = findChannelGroups(graph);
    expect(pinned).toEqual([]);
    expect(sizes(families)).toEqual([8, 6]);
    expect(classes).toHaveLength(14);
    expect(weightsOf(graph, families[0]!)).toEqual([
      "a.b/0",
      "a.w/0",
      "bn.bias/0",
      "bn.mean/0",
      "bn.scale/0",
      "bn.var/0",
      "mid.w/1",
    ]);
    const cut = expectRemovable(graph, families, [1, 4]);
    expect(["a.w", "mid.w", "b.w"].map((name) => [...cut.initializers.get(name)!.shape])).toEqual([
      [6, 3, 3, 3],
      [4, 6, 1, 1],
      [4, 4, 3, 3],
    ]);
    expect(analyzeCost(cut).parameters).toBe(6 * 27 + 6 + 12 + 4 * 6 + 4 + 4 * 36 + 4);
  });

  it("a residual sum ties its branches and all that follows", () => {
    const net = new Net([2, 3, 4, 4]);
    const stem = net.conv("stem", "x", 8, 3);
    const first = net.g.add(stem, net.conv("b1", net.relu(net.conv("a1", stem, 5, 3)), 8, 3));
    const second = net.g.add(first, net.conv("b2", net.relu(net.conv("a2", first, 7, 3)), 8, 3));
    const graph = net.done(net.conv("head", net.relu(second), 2));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([8, 5, 7]);
    expect(weightsOf(graph, families[0]!)).toEqual([
      "a1.w/1",
      "a2.w/1",
      "b1.b/0",
      "b1.w/0",
      "b2.b/0",
      "b2.w/0",
      "head.w/1",
      "stem.b/0",
      "stem.w/0",
    ]);
    const cut = expectRemovable(graph, families, [0, 3, 4]);
    expect(shapeOf(cut, "stem")).toEqual([2, 5, 4, 4]);
    expect(shapeOf(cut, "a1")).toEqual([2, 2, 4, 4]);
  });

  it("a concatenation keeps its parts apart and shifts offsets", () => {
    const net = new Net([1, 3, 4, 4]);
    const squeeze = net.relu(net.conv("squeeze", "x", 4));
    const parts = [net.conv("e1", squeeze, 6), net.conv("e3", squeeze, 5, 3)].map((part) => net.relu(part));
    const graph = net.done(net.conv("head", net.op("Concat", parts, { axis: int(1) }), 2));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([4, 6, 5]);
    const slots = families[2]!.classes[1]!.members.filter(({ value }) => value === "head.w");
    expect(slots).toEqual([{ value: "head.w", axis: 1, indices: [7], initializer: true }]);
    const cut = expectRemovable(graph, families, [0, 2]);
    expect([...cut.initializers.get("head.w")!.shape]).toEqual([2, 7, 1, 1]);
  });

  it("a depthwise convolution passes channels on and loses groups; a multiplier ties its copies", () => {
    const net = new Net([1, 3, 5, 5]);
    const wide = net.conv("wide", "x", 6);
    const depthwise = net.conv("dw", wide, 6, 3, { group: 6 });
    const twice = net.conv("twice", depthwise, 12, 3, { group: 6 });
    const graph = net.done(net.conv("head", twice, 2));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([6]);
    expect(weightsOf(graph, families[0]!)).toEqual([
      "dw.b/0",
      "dw.w/0",
      "head.w/1×2",
      "twice.b/0×2",
      "twice.w/0×2",
      "wide.b/0",
      "wide.w/0",
    ]);
    const cut = expectRemovable(graph, families, [5, 0]);
    expect(cut.nodes.map((node) => node.attributes.group)).toEqual([int(1), int(4), int(4), int(1)]);
    expect([...cut.initializers.get("twice.w")!.shape]).toEqual([8, 1, 3, 3]);
  });

  it("a grouped convolution loses the same channel of every group", () => {
    const net = new Net([1, 3, 4, 4]);
    const grouped = net.conv("grouped", net.conv("stem", "x", 8), 6, 3, { group: 2 });
    const graph = net.done(net.conv("head", grouped, 2));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([4, 3]);
    expect(weightsOf(graph, families[0]!)).toEqual(["grouped.w/1", "stem.b/0×2", "stem.w/0×2"]);
    expect(weightsOf(graph, families[1]!)).toEqual(["grouped.b/0×2", "grouped.w/0×2", "head.w/1×2"]);
    const cut = expectRemovable(graph, families, [1]);
    expect([...cut.initializers.get("grouped.w")!.shape]).toEqual([4, 3, 3, 3]);
  });

  it("flattening ties a channel to its pixels in the dense layer", () => {
    const net = new Net(["N", 3, 4, 4]);
    const flat = net.op("Flatten", [net.relu(net.conv("conv", "x", 5, 3, { stride: 2 }))]);
    const graph = net.done(net.dense("out", net.relu(net.dense("hidden", flat, 6)), 3));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([5, 6]);
    expect(weightsOf(graph, families[0]!)).toEqual(["conv.b/0", "conv.w/0", "hidden.w/0×4"]);
    const cut = expectRemovable(graph, families, [0, 3]);
    expect([...cut.initializers.get("hidden.w")!.shape]).toEqual([12, 4]);
  });

  it("a shortcut by Slice and Pad loses padding and channels alike", () => {
    const net = new Net([1, 3, 6, 6]);
    const stem = net.relu(net.conv("stem", "x", 4, 3));
    const thin = net.op("Slice", [
      stem,
      net.integers(0, 0),
      net.integers(99, 99),
      net.integers(2, 3),
      net.integers(2, 2),
    ]);
    const wide = net.op("Pad", [thin, net.integers(0, 2, 0, 0, 0, 3, 0, 0)]);
    const sum = net.g.add(wide, net.conv("body", stem, 9, 3, { stride: 2 }));
    const graph = net.done(net.conv("head", sum, 2));
    const { families } = findChannelGroups(graph);
    // Body channels over padding stand alone; four of nine stand with the stem's.
    expect(sizes(families)).toEqual([4, 5]);
    expect(families[0]!.classes.map(({ members }) => members.find(({ value }) => value === "body.w")?.indices)).toEqual(
      [[2], [3], [4], [5]],
    );
    const cut = expectRemovable(graph, families, [0, 3]);
    const pad = cut.nodes.find((node) => node.op === "Pad")!;
    expect(cut.initializers.get(pad.inputs[1]!)).toEqual(int64s([0, 1, 0, 0, 0, 2, 0, 0]));
    expect(shapeOf(cut, sum)).toEqual([1, 5, 3, 3]);
  });

  it("a Slice of channels shifts its bounds, and what it leaves out is on its own", () => {
    const net = new Net([1, 3, 4, 4]);
    const stem = net.conv("stem", "x", 8);
    const part = net.op("Slice", [stem, net.integers(2), net.integers(-1), net.integers(1)]);
    const both = [net.conv("p", part, 2), net.conv("q", stem, 2)];
    const graph = net.done(net.g.add(both[0]!, both[1]!));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([3, 5]);
    const cut = removeChannels(graph, [families[0]!.classes[1]!, families[1]!.classes[0]!]);
    const slice = cut.nodes.find((node) => node.op === "Slice")!;
    expect(cut.initializers.get(slice.inputs[1]!)).toEqual(int64s([1]));
    expect(cut.initializers.get(slice.inputs[2]!)).toEqual(int64s([5]));
    expectRemovable(graph, families, [0, 2]);
  });

  it("a Split shrinks each part, a Gather of channels is mapped anew", () => {
    const net = new Net([1, 3, 4, 4]);
    const stem = net.conv("stem", "x", 6);
    const [left, right] = net.g.node("Split", [stem], 2, { axis: int(1) }) as [string, string];
    const joined = net.op("Concat", [net.op("Exp", [right]), net.relu(left)], { axis: int(1) });
    const picked = net.op("Gather", [joined, net.integers(5, 0, 3, -5)], { axis: int(1) });
    const graph = net.done(net.conv("head", picked, 2));
    const { families } = findChannelGroups(graph);
    // Of the joined channels 5, 0, 3, 1 are read: stem 2, 3, 0, 4. Stem 1 and 5 are read by nothing behind.
    expect(sizes(families).reduce((a, b) => a + b)).toBe(6);
    const classOf = (channel: number) =>
      families
        .flatMap((family) => family.classes)
        .find(({ members }) => members.some(({ value, indices }) => value === "stem.w" && indices[0] === channel))!;
    const silent = zeroed(graph, [0, 1].map(classOf));
    const cut = removeChannels(silent, [0, 1].map(classOf));
    expectSameOutputs(silent, cut, 1e-6);
    const split = cut.nodes.find((node) => node.op === "Split")!;
    expect(cut.initializers.get(split.inputs[1]!)).toEqual(int64s([1, 3]));
    const gather = cut.nodes.find((node) => node.op === "Gather")!;
    expect(cut.initializers.get(gather.inputs[1]!)).toEqual(int64s([3, 0, 1]));
  });

  it("a channel shuffle ties the same place of every group", () => {
    const net = new Net(["N", 3, 4, 4]);
    const stem = net.conv("stem", "x", 6);
    const split = net.op("Reshape", [stem, net.integers(-1, 2, 3, 4, 4)]);
    const merged = net.op("Reshape", [net.g.transpose(split, [0, 2, 1, 3, 4]), net.integers(0, 6, 4, 4)]);
    const graph = net.done(net.conv("head", merged, 2));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([3]);
    expect(families[0]!.classes[1]!.members.filter(({ initializer }) => initializer)).toEqual([
      { value: "stem.w", axis: 0, indices: [1, 4], initializer: true },
      { value: "stem.b", axis: 0, indices: [1, 4], initializer: true },
      { value: "head.w", axis: 1, indices: [2, 3], initializer: true },
    ]);
    const cut = expectRemovable(graph, families, [1]);
    expect(shapeOf(cut, split)).toEqual(["N", 2, 2, 4, 4]);
  });

  it("a squeeze-and-excitation gate stands with what it scales", () => {
    const net = new Net([1, 3, 4, 4]);
    const stem = net.conv("stem", "x", 6);
    const pooled = net.op("GlobalAveragePool", [stem]);
    const gate = net.op("Sigmoid", [net.conv("up", net.relu(net.conv("down", pooled, 3)), 6)]);
    const graph = net.done(net.conv("head", net.g.mul(stem, gate), 2));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([6, 3]);
    expectRemovable(graph, families, [0, 1]);
  });

  it("a reshape computed from the batch's size becomes constant where it must", () => {
    const net = new Net(["N", 3, 2, 2]);
    const conv = net.conv("conv", "x", 5);
    const batch = net.op("Gather", [net.op("Shape", [conv]), net.g.initializer("zero", tensor("int64", []))]);
    const target = net.op("Concat", [net.op("Unsqueeze", [batch, net.integers(0)]), net.integers(20)], {
      axis: int(0),
    });
    const graph = net.done(net.dense("out", net.op("Reshape", [conv, target]), 3));
    const { families } = findChannelGroups(graph);
    expect(sizes(families)).toEqual([5]);
    const cut = expectRemovable(graph, families, [2, 3]);
    expect(cut.nodes.map((node) => node.op)).toEqual(["Conv", "Reshape", "Gemm"]);
    expect(inferFacts(cut).get(cut.nodes[1]!.outputs[0]!)?.shape).toEqual(["N", 12]);
  });

  it("Squeeze, Unsqueeze, Transpose, Tile and Expand pass channels on", () => {
    const net = new Net([2, 3, 4, 4]);
    const pooled = net.op("GlobalAveragePool", [net.conv("conv", "x", 5)]);
    const vector = net.op("Squeeze", [pooled, net.integers(2, 3)]);
    const columns = net.g.transpose(vector, [1, 0]);
    const tiled = net.op("Tile", [net.op("Unsqueeze", [columns, net.integers(0)]), net.integers(1, 2, 1)]);
    const spread = net.op("Expand", [tiled, net.integers(3, 10, 2)]);
    const back = net.g.transpose(spread, [0, 2, 1]);
    const graph = net.done(net.op("MatMul", [back, net.weight("w", 10, 3)]));
    const { families } = findChannelGroups(graph);
    expect(weightsOf(graph, families[0]!)).toEqual(["conv.b/0", "conv.w/0", "w/0×2"]);
    const cut = expectRemovable(graph, families, [0, 4]);
    expect([...cut.initializers.get("w")!.shape]).toEqual([6, 3]);
  });

  it("weights made of a codebook, a mask or a flat vector are cut where they are stored", () => {
    const net = new Net([1, 3, 4, 4]);
    const indices = tensorOf(
      "int64",
      [5, 3, 3, 3],
      Array.from({ length: 135 }, (_, i) => (i * 7) % 4),
    );
    const shared = net.op("Gather", [net.weight("codebook", 4), net.g.initializer("indices", indices)]);
    const first = net.op("Conv", ["x", shared]);
    const masked = net.g.mul(net.weight("dense", 6, 5, 1, 1), net.weight("mask", 6, 5, 1, 1));
    const second = net.op("Conv", [first, masked]);
    const flat = net.g.reshape(net.weight("flat", 2, 24), [2, 6, 2, 2]);
    const graph = net.done(net.op("Conv", [second, flat]));
    const { families } = findChannelGroups(graph);
    expect(families.map((family) => weightsOf(graph, family))).toEqual([
      ["dense/1", "indices/0", "mask/1"],
      ["dense/0", "flat/1×4", "mask/0"],
    ]);
    const silent = zeroed(
      graph,
      families.map((family) => family.classes[1]!),
    );
    const cut = removeChannels(
      silent,
      families.map((family) => family.classes[1]!),
    );
    expect([...cut.initializers.get("indices")!.shape]).toEqual([4, 3, 3, 3]);
    expect([...cut.initializers.get("codebook")!.shape]).toEqual([4]);
    expect([...cut.initializers.get("flat")!.shape]).toEqual([2, 20]);
    expectSameOutputs(silent, cut, 1e-6);
  });

  it("what it does not know it pins, and says so", () => {
    const net = new Net([1, 3, 4, 4]);
    const known = net.done(net.conv("head", net.relu(net.conv("mid", net.relu(net.conv("stem", "x", 4)), 5)), 2));
    const graph: Graph = {
      ...known,
      nodes: known.nodes.map((node, at) => (at === 1 ? { ...node, op: "Mystery", domain: "elsewhere" } : node)),
    };
    const { families, pinned } = findChannelGroups(graph);
    expect(pinned).toEqual([{ node: "Mystery 'relu'", reason: "netpare does not know this operator" }]);
    expect(sizes(families)).toEqual([]);
  });

  it("a reversed channel axis is pinned", () => {
    const net = new Net([1, 3, 4, 4]);
    const reversed = net.op("Slice", [net.conv("stem", "x", 4), ...[-1, -9, 1, -1].map((n) => net.integers(n))]);
    expect(findChannelGroups(net.done(net.conv("head", reversed, 2))).families).toEqual([]);
  });

  it("refuses to leave nothing", () => {
    const net = new Net([1, 3, 4, 4]);
    const graph = net.done(net.conv("head", net.conv("stem", "x", 2), 2));
    const { classes } = findChannelGroups(graph);
    expect(classes).toHaveLength(2);
    expect(() => removeChannels(graph, classes)).toThrow("all 2 channels of 'stem");
    expect(removeChannels(graph, [])).toBe(graph);
  });
});

describe.skipIf(!haveSharedModels)(`channels of published models ${needsShared}`, () => {
  it.each([
    ["cifar10_distiller_resnet20_dense", [16, 16, 16, 16, 32, 32, 32, 32, 64, 64, 64, 64]],
    ["cifar10_resnet32", [16, 16, 16, 16, 16, 16, 16, 32, 32, 32, 32, 32, 32, 64, 64, 64, 64, 64]],
    ["mlperftiny_resnet8_cifar10", [16, 16, 32, 32, 64, 64]],
    ["mnist-8", [8, 16]],
  ])("%s", async (name, families) => {
    const graph = await sharedModel(name);
    const groups = findChannelGroups(graph);
    expect(groups.pinned).toEqual([]);
    expect(sizes(groups.families).sort((a, b) => a - b)).toEqual(families);
    const cut = expectRemovable(graph, groups.families, [1, 4]);
    const given = randomFeeds(cut, 1);
    const engine = await runOnnxruntime(cut, given);
    const reference = evaluateGraph(cut, given);
    for (const { name: output } of cut.outputs)
      expectClose(`${output} on onnxruntime`, engine.get(output)!, reference.get(output)!, 1e-5);
  });

  it("squeezenet_v1.1: every layer but the last", async () => {
    const { families, classes, pinned } = findChannelGroups(await sharedModel("squeezenet_v1.1"));
    expect(pinned).toEqual([]);
    expect(families).toHaveLength(25);
    expect(classes).toHaveLength(2944);
  });
});
