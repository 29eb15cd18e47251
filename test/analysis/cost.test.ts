import { describe, expect, it } from "vitest";
import {
  analyzeCost,
  compareGraphs,
  findChannelGroups,
  inferShapes,
  removeChannels,
} from "../../src/analysis/index.ts";
import { int, tensorAttribute } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { castTensor, int64s, tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { Net } from "./nets.ts";

const layer = (graph: Graph, name: string) => analyzeCost(graph).layers.find((entry) => entry.name === name)!;

describe("analyzeCost", () => {
  it("counts parameters, multiply-accumulates and bytes of each layer", () => {
    const net = new Net(["N", 3, 6, 6]);
    const conv = net.batchnorm("bn", net.conv("conv", "x", 4, 3, { stride: 2 }));
    const graph = net.done(net.dense("out", net.op("Flatten", [net.relu(conv)]), 5));
    const cost = analyzeCost(graph);
    expect(
      cost.layers.map(({ name, parameters, macs, weightBytes, bits }) => [name, parameters, macs, weightBytes, bits]),
    ).toEqual([
      ["conv", 4 * 27 + 4, 9 * 4 * 27, 4 * (4 * 27 + 4), 32],
      ["bn", 8, 0, 32, 32],
      ["relu", 0, 0, 0, 0],
      ["flatten", 0, 0, 0, 0],
      ["out", 36 * 5 + 5, 36 * 5, 4 * 185, 32],
    ]);
    expect([cost.parameters, cost.macs, cost.weightBytes]).toEqual([112 + 8 + 185, 972 + 180, 4 * 305]);
    expect(cost.unsupported).toEqual([]);
  });

  it("counts a dynamic batch at `batch`", () => {
    const net = new Net(["N", 3, 6, 6]);
    const graph = net.done(net.conv("conv", "x", 4, 3));
    const [one, four] = [analyzeCost(graph), analyzeCost(graph, { batch: 4 })];
    expect(four.macs).toBe(4 * one.macs);
    expect(four.activationBytes).toBe(4 * one.activationBytes);
    expect(four.parameters).toBe(one.parameters);
    expect(four.layers[0]!.shape).toEqual([4, 4, 6, 6]);
  });

  it("adds up what is held at one time", () => {
    const net = new Net([1, 2, 4, 4]);
    const wide = net.conv("wide", "x", 8);
    const graph = net.done(net.g.add(net.conv("left", wide, 2), net.conv("right", wide, 2)));
    const [x, eight, two] = [2 * 16 * 4, 8 * 16 * 4, 2 * 16 * 4];
    const cost = analyzeCost(graph);
    expect(cost.activationBytes).toBe(x + eight + 3 * two);
    // While `right` runs: its input, its output and what `left` made.
    expect(cost.peakActivationBytes).toBe(eight + 2 * two);
  });

  it("an early output is held to the end", () => {
    const net = new Net([1, 2, 4, 4]);
    const early = net.conv("early", "x", 8);
    net.g.output(early);
    const graph = net.done(net.conv("late", net.conv("mid", early, 2), 2));
    const [eight, two] = [8 * 16 * 4, 2 * 16 * 4];
    expect(analyzeCost(graph).peakActivationBytes).toBe(eight + 2 * two);
  });

  it("constants of shape arithmetic are no parameters", () => {
    const net = new Net(["N", 3, 4, 4]);
    const tail = net.op("Slice", [net.op("Shape", ["x"]), net.integers(2), net.integers(4)]);
    const doubled = net.g.mul(tail, net.integers(2, 2));
    const graph = net.done(net.op("ConstantOfShape", [doubled]));
    expect(analyzeCost(graph)).toMatchObject({ parameters: 0, weightBytes: 0 });
  });

  it("a weight read twice counts once, at its first reader", () => {
    const net = new Net([1, 3, 4, 4]);
    const w = net.weight("w", 3, 3, 1, 1);
    const graph = net.done(net.op("Conv", [net.op("Conv", ["x", w]), w]));
    expect(analyzeCost(graph).layers.map((entry) => entry.parameters)).toEqual([9, 0]);
    expect(analyzeCost(graph).parameters).toBe(9);
  });

  it("a weight in half precision, with zeros of either sign", () => {
    const net = new Net([1, 4, 2, 2]);
    const half = castTensor(tensorOf("float32", [2, 4, 1, 1], [1, 0, -0, 2, 3, 4, 5, 6]), "float16");
    const cast = net.op("Cast", [net.g.initializer("w", half)], { to: int(1) });
    const conv = net.g.op("Conv", ["x", cast], {}, { name: "conv" });
    expect(layer(net.done(conv), "conv")).toMatchObject({ parameters: 8, weightBytes: 16, bits: 16, sparsity: 0.25 });
  });

  it("a masked weight: the mask is no parameter, and its zeros are the layer's", () => {
    const net = new Net([1, 4, 2, 2]);
    const mask = tensorOf("float32", [2, 4, 1, 1], [1, 0, 1, 0, 1, 1, 1, 0]);
    const masked = net.g.mul(net.weight("w", 2, 4, 1, 1), net.g.initializer("mask", mask));
    const graph = net.done(net.g.op("Conv", ["x", masked], {}, { name: "conv" }));
    expect(layer(graph, "conv")).toMatchObject({ parameters: 8, weightBytes: 64, sparsity: 3 / 8 });
    expect(analyzeCost(graph).layers.map((entry) => entry.op)).toEqual(["Conv"]);
  });

  it("a codebook counts its entries, and the bytes of its indices", () => {
    const net = new Net([1, 4, 2, 2]);
    const indices = tensorOf("int64", [2, 4, 1, 1], [0, 1, 2, 0, 1, 2, 0, 1]);
    const codebook = net.g.initializer("codebook", tensorOf("float32", [3], [0, 1, 2]));
    const shared = net.op("Gather", [codebook, net.g.initializer("indices", indices)]);
    const graph = net.done(net.g.op("Conv", ["x", shared], {}, { name: "conv" }));
    expect(layer(graph, "conv")).toMatchObject({ parameters: 3, weightBytes: 12 + 64, bits: 64, sparsity: 3 / 8 });
  });

  it("a quantized weight counts at its own width, its scales in bytes only", () => {
    const net = new Net([1, 4, 2, 2]);
    const q = net.g.initializer("q", tensorOf("int8", [2, 4, 1, 1], [1, 2, 3, 4, 5, 6, 7, 0]));
    const scale = net.g.initializer("scale", tensorOf("float32", [2], [0.1, 0.2]));
    const zero = net.g.initializer("zero", tensor("int8", [2]));
    const w = net.op("DequantizeLinear", [q, scale, zero], { axis: int(0) });
    const graph = net.done(net.g.op("Conv", ["x", w, net.weight("b", 2)], {}, { name: "conv" }));
    expect(layer(graph, "conv")).toMatchObject({
      parameters: 10,
      weightBytes: 8 + 8 + 2 + 8,
      bits: 8,
      sparsity: 1 / 8,
    });
  });

  it("a weight in a Constant node, reshaped and joined, counts; shapes do not", () => {
    const net = new Net([1, 4, 2, 2]);
    const half = net.op("Constant", [], { value: tensorAttribute(net.normal(4)) });
    const joined = net.op("Concat", [half, net.weight("rest", 4)], { axis: int(0) });
    const w = net.op("Reshape", [joined, net.g.initializer("shape", int64s([2, 4, 1, 1]))]);
    const graph = net.done(net.g.op("Conv", ["x", w], {}, { name: "conv" }));
    expect(layer(graph, "conv")).toMatchObject({ parameters: 8, weightBytes: 32, bits: 32, sparsity: 0 });
  });

  it("names what it cannot count", () => {
    const net = new Net(["N", 3, 4, 4]);
    const known = net.done(net.relu(net.relu("x")));
    const graph = { ...known, nodes: known.nodes.map((node, at) => (at === 0 ? { ...node, op: "Mystery" } : node)) };
    expect(analyzeCost(graph).unsupported).toEqual([
      { node: "relu", op: "Mystery", reason: "netpare does not know this operator" },
      { node: "relu_1", op: "Relu", reason: "the shape of its output is not known: [?]" },
    ]);
  });
});

describe("compareGraphs", () => {
  it("shows channels before and after, and what came and went", () => {
    const net = new Net([1, 3, 4, 4]);
    const before = net.done(net.conv("head", net.relu(net.conv("stem", "x", 4)), 2));
    const { families } = findChannelGroups(before);
    const cut = removeChannels(before, [families[0]!.classes[0]!]);
    const after: Graph = {
      ...cut,
      nodes: cut.nodes.map((node) => (node.op === "Relu" ? { ...node, op: "Exp", name: "exp" } : node)),
    };
    const changes = compareGraphs(before, after);
    expect(changes.map(({ name, channels }) => [name, channels.before, channels.after])).toEqual([
      ["stem", 4, 3],
      ["exp", undefined, 3],
      ["relu", 4, undefined],
      ["head", 2, 2],
    ]);
    expect(changes[0]).toMatchObject({ op: "Conv", before: { parameters: 16 }, after: { parameters: 12 } });
  });
});

describe("inferShapes", () => {
  it("gives every value's type", () => {
    const net = new Net(["N", 3, 4, 4]);
    const graph = net.done(net.conv("conv", "x", 2));
    expect(inferShapes(graph).get("conv")).toEqual({ dtype: "float32", shape: ["N", 2, 4, 4] });
    expect(inferShapes(graph, { batch: 8 }).get("conv")?.shape).toEqual([8, 2, 4, 4]);
  });
});

describe.skipIf(!haveSharedModels)(`published figures ${needsShared}`, () => {
  // He et al. 2016 (arXiv:1512.03385): ResNet-20 has 0.27 M parameters, ResNet-32 0.46 M; 41 M and 69 M multiply-accumulates.
  // SqueezeNet 1.1 (its repository): 1.24 M parameters, 2.4 times less computation than 1.0's 0.86 G. MLPerf Tiny: 78 K, 12.5 M.
  it.each([
    ["cifar10_distiller_resnet20_dense", 272_474, 40_813_184],
    ["cifar10_resnet32", 464_154, 68_862_592],
    ["squeezenet_v1.1", 1_235_496, 387_747_520],
    ["mlperftiny_resnet8_cifar10", 78_186, 12_501_632],
    ["mnist-8", 5_994, 786_560],
  ])("%s: %i parameters, %i multiply-accumulates", async (name, parameters, macs) => {
    const cost = analyzeCost(await sharedModel(name));
    expect(cost).toMatchObject({ parameters, macs, unsupported: [] });
    expect(cost.weightBytes).toBe(4 * parameters);
  });
});
