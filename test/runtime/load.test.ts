/** Whole networks in the runtime against onnxruntime, plain and (where this engine has it) relaxed, on the first run and later ones. */
import { describe, expect, it } from "vitest";
import { openSession } from "../../src/engine/session.ts";
import { writePare } from "../../src/format/write.ts";
import { float, int, ints, string } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { simplify } from "../../src/passes/index.ts";
import { chooseVariant } from "../../src/runtime/kernels/index.ts";
import { load } from "../../src/runtime/load.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { int64s, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { architectures, findArchitecture } from "../../src/zoo/index.ts";
import { haveSharedModels, needsShared, sharedModel, sharedModelNames } from "../shared-models.ts";

const variants = [...new Set(["plain" as const, chooseVariant()])];

/** The largest error of the runtime, relative to the largest output, over all variants; 3 images, and the first again. */
async function largestError(graph: Graph, images = 3): Promise<number> {
  const [input] = graph.inputs as [Graph["inputs"][number]];
  const shape = input.shape!.slice(1) as number[];
  const size = shape.reduce((a, b) => a * b, 1);
  const random = createRandom(11);
  const pixels = Float32Array.from({ length: images * size }, () => random.normal());
  const session = await openSession(graph);
  const expected = await session.run(new Map([[input.name, tensorOf("float32", [images, ...shape], pixels)]]));
  await session.release();
  const file = writePare(graph);
  let largest = 0;
  for (const variant of variants) {
    const network = await load(file, { variant });
    const first = network.run(pixels.subarray(0, size));
    const all = network.run(pixels);
    for (const [name, tensor] of expected) {
      const want = toNumbers(tensor);
      const scale = Math.max(...want.map(Math.abs));
      expect(all[name]!.length).toBe(want.length);
      for (const [i, value] of want.entries()) largest = Math.max(largest, Math.abs(all[name]![i]! - value) / scale);
      expect([...all[name]!.subarray(0, first[name]!.length)], "the first image again").toEqual([...first[name]!]);
    }
  }
  return largest;
}

/** A network of one input and the nodes that `body` adds. */
function network(shape: readonly number[], body: (g: TypedBuilder, x: string) => string): Graph {
  const g = new TypedBuilder("net");
  g.output(body(g, g.input("x", "float32", ["N", ...shape])));
  return g.build();
}

const random = createRandom(5);
const weights = (g: TypedBuilder, shape: readonly number[], density = 1) =>
  g.initializer(
    "w",
    tensorOf(
      "float32",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
        random.uniform() < density ? random.normal() / 3 : 0,
      ),
    ),
  );

describe("operators", () => {
  const cases: Readonly<Record<string, Graph>> = {
    "Conv, strides, pads, dilations": network([5, 13, 11], (g, x) =>
      g.op("Conv", [x, weights(g, [7, 5, 3, 2])], {
        strides: ints([2, 3]),
        pads: ints([1, 0, 2, 1]),
        dilations: ints([2, 1]),
      }),
    ),
    "Conv in groups": network([6, 9, 9], (g, x) =>
      g.op("Conv", [x, weights(g, [10, 3, 3, 3]), weights(g, [10])], { group: int(2), pads: ints([1, 1, 1, 1]) }),
    ),
    "Conv, depthwise, two outputs a channel": network([5, 8, 7], (g, x) =>
      g.op("Relu", [g.op("Conv", [x, weights(g, [10, 1, 3, 3])], { group: int(5), auto_pad: string("SAME_UPPER") })]),
    ),
    "Conv, sparse": network([16, 10, 10], (g, x) =>
      g.op("Conv", [x, weights(g, [12, 16, 3, 3], 0.1)], { pads: ints([1, 1, 1, 1]) }),
    ),
    "Conv over one axis": network([4, 17], (g, x) =>
      g.op("Conv", [x, weights(g, [6, 4, 5])], { strides: ints([2]), pads: ints([2, 2]) }),
    ),
    "a residual sum, bounded": network([8, 6, 6], (g, x) => {
      const y = g.op("Conv", [x, weights(g, [8, 8, 3, 3])], { pads: ints([1, 1, 1, 1]) });
      const six = g.initializer("six", tensorOf("float32", [], [6]));
      return g.op("Clip", [g.add(x, y), g.initializer("zero", tensorOf("float32", [], [0])), six]);
    }),
    "a sum of two convolutions": network([3, 5, 5], (g, x) =>
      g.add(g.op("Conv", [x, weights(g, [4, 3, 1, 1])]), g.op("Conv", [x, weights(g, [4, 3, 1, 1])])),
    ),
    "Gemm, transposed, with factors": network([12], (g, x) =>
      g.op("Gemm", [x, weights(g, [9, 12]), weights(g, [9])], { transB: int(1), alpha: float(0.5), beta: float(2) }),
    ),
    "MatMul by a sparse matrix": network([40], (g, x) => g.op("MatMul", [x, weights(g, [40, 21], 0.1)])),
    "MaxPool, hanging over": network([3, 10, 9], (g, x) =>
      g.op("MaxPool", [x], { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) }),
    ),
    "AveragePool without the pads": network([3, 9, 8], (g, x) =>
      g.op("AveragePool", [x], { kernel_shape: ints([3, 2]), strides: ints([2, 1]), pads: ints([1, 1, 1, 0]) }),
    ),
    "AveragePool with the pads": network([3, 9, 8], (g, x) =>
      g.op("AveragePool", [x], { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]), count_include_pad: int(1) }),
    ),
    "AveragePool of the whole image": network([3, 9, 8], (g, x) =>
      g.op("AveragePool", [x], { kernel_shape: ints([9, 8]), strides: ints([9, 8]) }),
    ),
    "ReduceMean over the channels, over the pixels": network([5, 4, 6], (g, x) => {
      const perPixel = g.op("ReduceMean", [x], { axes: ints([1]) });
      return g.add(perPixel, g.op("ReduceMean", [x], { axes: ints([2, -1]) }));
    }),
    "Concat, Transpose, Slice backward": network([4, 6, 5], (g, x) => {
      const turned = g.transpose(x, [0, 1, 3, 2]);
      const list = (values: readonly number[]) => g.initializer("list", int64s(values));
      const cut = g.op("Slice", [turned, list([-1, 1]), list([-100, 5]), list([3, 2]), list([-2, 1])]);
      return g.op("Concat", [cut, cut], { axis: int(1) });
    }),
    "Pad by reflection": network([2, 5, 6], (g, x) =>
      g.op("Pad", [x, g.initializer("pads", int64s([0, 0, 2, 1, 0, 0, 1, 3]))], { mode: string("reflect") }),
    ),
    "Pad by a number": network([2, 5, 6], (g, x) => {
      const seven = g.initializer("seven", tensorOf("float32", [], [7]));
      return g.op("Pad", [x, g.initializer("pads", int64s([0, 1, 0, 1, 0, 0, 1, 0])), seven]);
    }),
    "sums and products that are broadcast": network([4, 3, 5], (g, x) => {
      const perChannel = g.op("Sub", [weights(g, [4, 1, 1]), x]);
      const perColumn = g.op("Mul", [perChannel, weights(g, [5])]);
      return g.op("Div", [perColumn, g.op("Exp", [weights(g, [1])])]);
    }),
    "Max of three, PRelu": network([4, 3, 5], (g, x) =>
      g.op("PRelu", [g.op("Max", [x, weights(g, [4, 3, 5]), weights(g, [])]), weights(g, [4, 1, 1])]),
    ),
    "BatchNormalization by itself": network([3, 4, 4], (g, x) => {
      const positive = g.initializer("variance", tensorOf("float32", [3], [0.5, 1, 2]));
      const [scale, mean] = [weights(g, [3]), weights(g, [3])];
      const bias = g.initializer("bias", tensorOf("float32", [3], [1, 2, 3]));
      return g.op("Relu", [g.op("BatchNormalization", [g.op("Relu", [x]), scale, bias, mean, positive])]);
    }),
    "DepthToSpace and back": network([8, 3, 4], (g, x) =>
      g.op("SpaceToDepth", [g.op("DepthToSpace", [x], { blocksize: int(2), mode: string("CRD") })], {
        blocksize: int(2),
      }),
    ),
    "Where, Less, Pow, Not, broadcast": network([4, 3, 5], (g, x) => {
      const less = g.op("Not", [g.op("Less", [x, weights(g, [4, 1, 1])])]);
      return g.op("Where", [
        less,
        g.op("Pow", [x, g.initializer("two", tensorOf("float32", [], [2]))]),
        weights(g, [3, 1]),
      ]);
    }),
    "Softmax of activations": network([11], (g, x) =>
      g.op("Softmax", [g.op("Tanh", [g.op("LeakyRelu", [g.op("Sigmoid", [x])])])], { axis: int(1) }),
    ),
  };
  it.each(Object.keys(cases))("%s", async (name) => {
    expect(await largestError(cases[name]!)).toBeLessThan(2e-6);
  });

  it("refuses what it cannot run, by name", async () => {
    const file = writePare(network([3, 4], (g, x) => g.add(x, g.op("Constant", [], { value_float: float(1) }))));
    await expect(load(file)).rejects.toThrow(/the runtime cannot run it: it has no operator Constant/);
  });

  it.each<[string, (g: TypedBuilder, x: string) => string]>([
    ["a mean", (g, x) => g.op("ReduceMean", [x], { axes: ints([0]) })],
    ["Softmax", (g, x) => g.op("Softmax", [x], { axis: int(0) })],
    ["Concat", (g, x) => g.op("Concat", [x, x], { axis: int(0) })],
    ["a slice", (g, x) => g.op("Slice", [x, g.initializer("from", int64s([0])), g.initializer("to", int64s([1]))])],
    ["Transpose", (g, x) => g.transpose(x, [1, 0, 2])],
  ])("refuses %s over the images of a batch, which it never has together", async (_, body) => {
    await expect(load(writePare(network([3, 4], body)))).rejects.toThrow(/images of a batch/);
  });

  it("takes no more memory than it may, whatever a file asks for", async () => {
    const file = writePare(network([3, 4], (g, x) => g.op("Relu", [x])));
    await expect(load(file, { memoryBytes: 100 })).rejects.toThrow(/the limit is 100/);
    const huge = network([2 ** 20, 2 ** 20], (g, x) => g.transpose(g.op("Relu", [x]), [0, 2, 1]));
    await expect(load(writePare(huge))).rejects.toThrow(/bytes, the limit is 1073741824/);
  });

  it("wants whole images", async () => {
    const { run, inputs } = await load(writePare(network([3, 4], (g, x) => g.op("Relu", [x]))));
    expect(inputs).toEqual([{ name: "x", shape: [1, 3, 4] }]);
    expect(() => run(new Float32Array(13))).toThrow(/wants 12 numbers an image/);
    expect(() => run({})).toThrow(/got none/);
  });
});

describe("whole networks", () => {
  const widths: Readonly<Record<string, Record<string, number>>> = {
    "vgg-s": { width: 0.1 },
    densenet: { depth: 22, growth: 8 },
  };
  it.each(architectures.map(({ name }) => name))("%s", async (name) => {
    const settings = widths[name] ?? {};
    const graph = simplify(findArchitecture(name).build(settings, createRandom(1))).graph;
    expect(await largestError(graph, 2)).toBeLessThan(1e-4);
  });

  it.skipIf(!haveSharedModels).each(sharedModelNames)(`%s ${needsShared}`, async (name) => {
    const { graph } = simplify(await sharedModel(name));
    expect(await largestError(graph, name === "mnist-8" ? 1 : 2)).toBeLessThan(1e-4);
  });
});
