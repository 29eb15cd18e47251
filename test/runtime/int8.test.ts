import { describe, expect, it } from "vitest";
import { openSession } from "../../src/engine/session.ts";
import { writePare } from "../../src/format/write.ts";
import { int, ints } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { load } from "../../src/runtime/load.ts";
import type { DType } from "../../src/tensor/dtype.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { int64s, type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { fixtureContext, fixtures } from "../methods/fixtures.ts";

/** The share of outputs that are not onnxruntime's, over seeded images, and by how much the farthest is off, relative to the largest. */
async function difference(graph: Graph, images = 32) {
  const [input] = graph.inputs as [Graph["inputs"][number]];
  const shape = input.shape!.slice(1) as number[];
  const size = images * shape.reduce((a, b) => a * b, 1);
  const random = createRandom(3);
  const pixels = Float32Array.from({ length: size }, () => random.normal());
  const session = await openSession(graph);
  const outputs = await session.run(new Map([[input.name, tensorOf("float32", [images, ...shape], pixels)]]));
  await session.release();
  const expected = toNumbers([...outputs.values()][0]!);
  const got = Object.values((await load(writePare(graph))).run(pixels))[0]!;
  expect(got).toHaveLength(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const errors = got.map((value, i) => Math.abs(value - expected[i]!) / largest);
  return { differing: errors.filter((error) => error > 1e-5).length / errors.length, worst: Math.max(...errors) };
}

const method = findMethod("quantize-int8");
const quantized = async (name: string) =>
  (await method.apply(fixtures[name]!(), method.params.parse({}), fixtureContext())).graph;

describe("networks of quantize-int8", () => {
  it.each(Object.keys(fixtures))("%s gives what onnxruntime's integer kernels give", async (name) => {
    expect(await difference(await quantized(name))).toEqual({ differing: 0, worst: expect.closeTo(0, 5) });
  });

  it("keep their activations in 8 bits", async () => {
    const [before, after] = await Promise.all(
      [fixtures.residual!(), await quantized("residual")].map(async (graph) => load(writePare(graph))),
    );
    expect(after!.activationBytes / before!.activationBytes).toBeLessThan(0.6);
  });
});

/** A network of one input between QuantizeLinear and DequantizeLinear and what `body` makes of it. */
class Quantized {
  readonly g = new TypedBuilder("net");
  private readonly random = createRandom(9);

  constructor(readonly type: "uint8" | "int8" = "uint8") {}

  constant(dtype: DType, shape: readonly number[], values: ArrayLike<number>): string {
    return this.g.initializer("c", tensorOf(dtype, shape, Array.from(values)));
  }

  scalar = (dtype: DType, value: number) => this.constant(dtype, [], [value]);

  parameters = (scale: number, zero: number) => [this.scalar("float32", scale), this.scalar(this.type, zero)] as const;

  quantize = (x: string, scale: number, zero: number) =>
    this.g.op("QuantizeLinear", [x, ...this.parameters(scale, zero)]);

  dequantize = (q: string, scale: number, zero: number) =>
    this.g.op("DequantizeLinear", [q, ...this.parameters(scale, zero)]);

  /** A value rounded to 8 bits. */
  rounded = (x: string, scale = 0.03, zero = this.type === "uint8" ? 120 : -8) =>
    this.dequantize(this.quantize(x, scale, zero), scale, zero);

  /** Seeded integers in [low, high] of a shape, dequantized along an axis by scales around `scale`. */
  weights(shape: readonly number[], axis: number, { low = -127, high = 127, zero = 0, scale = 0.004 } = {}): string {
    const draw = () => low + this.random.below(high - low + 1);
    const dtype = low < 0 ? "int8" : "uint8";
    const count = shape.reduce((a, b) => a * b, 1);
    const values = this.constant(dtype, shape, Array.from({ length: count }, draw));
    const scales = Array.from({ length: shape[axis]! }, () => scale * (0.5 + this.random.uniform()));
    const zeros = scales.map(() => zero);
    const constants = [this.constant("float32", [scales.length], scales), this.constant(dtype, [scales.length], zeros)];
    return this.g.op("DequantizeLinear", [values, ...constants], { axis: int(axis) });
  }

  static net(shape: readonly number[], body: (q: Quantized, x: string) => string, type?: "uint8" | "int8"): Graph {
    const q = new Quantized(type);
    q.g.output(body(q, q.rounded(q.g.input("x", "float32", ["N", ...shape]))));
    return q.g.build();
  }
}

const { net } = Quantized;
const same = { pads: ints([1, 1, 1, 1]) };

describe("layers between other numbers", () => {
  const cases: Readonly<Record<string, Graph>> = {
    "int8 activations": net(
      [5, 9, 9],
      (q, x) => q.rounded(q.g.op("Conv", [x, q.weights([7, 5, 3, 3], 0)], { ...same, strides: ints([2, 2]) }), 0.05),
      "int8",
    ),
    "weights with a zero": net([4, 8, 8], (q, x) =>
      q.rounded(q.g.op("Conv", [x, q.weights([6, 4, 3, 3], 0, { low: 0, high: 255, zero: 131 })], same), 0.1),
    ),
    "a dense layer whose weights have a zero": net([21], (q, x) =>
      q.rounded(q.g.op("Gemm", [x, q.weights([21, 6], 1, { low: 0, high: 255, zero: 3 })]), 0.5),
    ),
    "MatMul of rows": net([3, 21], (q, x) => q.rounded(q.g.op("MatMul", [x, q.weights([21, 6], 1)]), 0.02)),
    "a convolution that writes floats, bounded": net([6, 8, 8], (q, x) =>
      q.g.op("Relu", [q.g.op("Conv", [x, q.weights([9, 6, 1, 1], 0)])]),
    ),
    "a bias of floats": net([6, 8, 8], (q, x) => {
      const bias = tensorOf("float32", [9], [0.1, 0, -0.3, 0.2, -0.1, 0.7, 0.01, 0.02, 0.4]);
      return q.rounded(q.g.op("Conv", [x, q.weights([9, 6, 1, 1], 0), q.g.initializer("b", bias)]));
    }),
    "weights of one scale and without a zero, Relu before the rounding": net([6, 8, 8], (q, x) => {
      const levels = q.constant(
        "int8",
        [5, 6, 1, 1],
        Array.from({ length: 30 }, (_, i) => ((i * 37) % 255) - 127),
      );
      const weights = q.g.op("DequantizeLinear", [levels, q.scalar("float32", 0.004)]);
      return q.rounded(q.g.op("Relu", [q.g.op("Conv", [x, weights])]), 0.02, 9);
    }),
    "groups of an odd number of channels": net([6, 7, 7], (q, x) =>
      q.rounded(q.g.op("Conv", [x, q.weights([10, 3, 3, 3], 0)], { ...same, group: int(2) }), 0.05),
    ),
    "one axis, dilated": net([4, 30], (q, x) =>
      q.rounded(q.g.op("Conv", [x, q.weights([6, 4, 5], 0)], { dilations: ints([3]), pads: ints([2, 1]) }), 0.04),
    ),
    depthwise: net([5, 8, 7], (q, x) =>
      q.rounded(q.g.op("Conv", [x, q.weights([10, 1, 3, 3], 0)], { ...same, group: int(5) }), 0.03),
    ),
    "a bounded sum of two branches": net([6, 8, 8], (q, x) => {
      const branch = () => q.rounded(q.g.op("Conv", [x, q.weights([6, 6, 3, 3], 0)], same), 0.04);
      const six = q.g.op("Clip", [q.g.add(branch(), branch()), q.scalar("float32", 0), q.scalar("float32", 1.5)]);
      return q.rounded(six, 0.02, 10);
    }),
    "a sum that stays in float": net([6, 8, 8], (q, x) => q.g.add(x, q.rounded(x, 0.1))),
    "a layer whose input others read as floats": net([6, 8, 8], (q, x) =>
      q.g.op("Mul", [q.rounded(q.g.op("Conv", [x, q.weights([6, 6, 3, 3], 0)], same), 0.04), x]),
    ),
    "8-bit weights alone": net([6, 8, 8], (q, x) =>
      q.g.op("Conv", [q.g.op("Sigmoid", [x]), q.weights([6, 6, 3, 3], 0)], same),
    ),
  };
  it.each(Object.keys(cases))("%s", async (name) => {
    const { differing, worst } = await difference(cases[name]!, 4);
    expect(differing).toBeLessThan(0.002);
    expect(worst).toBeLessThan(0.02);
  });
});

describe("operators on 8-bit numbers", () => {
  const through = (shape: readonly number[], body: (q: Quantized, x: string) => string, type?: "uint8" | "int8") =>
    net(
      shape,
      (q, x) =>
        q.dequantize(body(q, q.quantize(x, 0.03, type === "int8" ? -8 : 120)), 0.03, type === "int8" ? -8 : 120),
      type,
    );
  const list = (q: Quantized, values: readonly number[]) => q.g.initializer("list", int64s(values));
  const cases: Readonly<Record<string, Graph>> = {
    MaxPool: through([3, 9, 9], (q, x) =>
      q.g.op("MaxPool", [x], { kernel_shape: ints([3, 3]), strides: ints([2, 2]) }),
    ),
    "MaxPool of int8, padded": through(
      [3, 8, 8],
      (q, x) => q.g.op("MaxPool", [x], { kernel_shape: ints([3, 3]), ...same }),
      "int8",
    ),
    Clip: through([3, 5, 5], (q, x) => q.g.op("Clip", [x, q.scalar("uint8", 100), q.scalar("uint8", 140)])),
    "Transpose, Slice, Pad by the zero": through([3, 5, 6], (q, x) => {
      const cut = q.g.op("Slice", [q.g.transpose(x, [0, 2, 3, 1]), list(q, [1]), list(q, [5]), list(q, [2])]);
      return q.g.op("Pad", [cut, list(q, [0, 1, 0, 0, 0, 0, 0, 2]), q.scalar("uint8", 120)]);
    }),
    "Concat and Split": through([4, 3, 5], (q, x) => {
      const joined = q.g.op("Concat", [x, x, x], { axis: int(2) });
      return q.g.op("Reshape", [q.g.op("Slice", [joined, list(q, [2]), list(q, [7]), list(q, [2])]), list(q, [0, -1])]);
    }),
  };
  it.each(Object.keys(cases))("%s", async (name) => {
    expect(await difference(cases[name]!, 4)).toEqual({ differing: 0, worst: expect.closeTo(0, 6) });
  });

  it("a scale for each channel of an activation", async () => {
    const scales: readonly Tensor[] = [
      tensorOf("float32", [4], [0.01, 0.02, 0.03, 0.04]),
      tensorOf("uint8", [4], [120, 3, 128, 90]),
    ];
    const graph = net([4, 3, 5], (q, x) => {
      const constants = scales.map((tensor) => q.g.initializer("c", tensor));
      const held = q.g.op("QuantizeLinear", [x, ...constants], { axis: int(1) });
      return q.g.op("DequantizeLinear", [held, ...constants], { axis: int(1) });
    });
    expect(await difference(graph, 4)).toEqual({ differing: 0, worst: expect.closeTo(0, 6) });
  });

  it("refuses 8-bit outputs and numbers of other widths", async () => {
    const bare = (body: (q: Quantized, x: string) => string) => writePare(net([4], body));
    await expect(load(bare((q, x) => q.quantize(x, 0.1, 3)))).rejects.toThrow(/outputs have to be float32/);
    const wide = bare((q, x) => {
      const constants = [q.scalar("float32", 0.1), q.scalar("uint16", 3)] as const;
      return q.g.op("DequantizeLinear", [q.g.op("QuantizeLinear", [x, ...constants]), ...constants]);
    });
    await expect(load(wide)).rejects.toThrow(/uint16 is not computed with/);
  });
});
