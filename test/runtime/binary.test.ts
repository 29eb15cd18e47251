/** Binary layers in the runtime: which kernels run them, and that they agree with onnxruntime's dense result. */
import { describe, expect, it } from "vitest";
import { openSession } from "../../src/engine/session.ts";
import { readPare } from "../../src/format/read.ts";
import { writePare } from "../../src/format/write.ts";
import { type Attributes, float, int, ints } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { Build } from "../../src/runtime/build.ts";
import { chooseVariant } from "../../src/runtime/kernels/index.ts";
import { load } from "../../src/runtime/load.ts";
import { forms, operators } from "../../src/runtime/operators/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

const variants = [...new Set(["plain" as const, chooseVariant()])];

/** Kernels that a file's steps call, in their order. */
function kernelsOf(file: Uint8Array): string[] {
  const build = new Build(readPare(file), undefined, forms);
  for (const node of build.program.nodes) if (!build.fused.has(node)) operators.get(node.op)!(build, node);
  return build.steps.flatMap((step) => ("kernel" in step ? [step.kernel] : []));
}

function network(shape: readonly number[], body: (g: TypedBuilder, x: string) => string): Graph {
  const g = new TypedBuilder("net");
  g.output(body(g, g.input("x", "float32", ["N", ...shape])));
  return g.build();
}

const random = createRandom(9);

/** Weights of one magnitude a row. */
function binary(g: TypedBuilder, shape: readonly number[]): string {
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  const scales = Array.from({ length: shape[0]! }, () => 0.1 + random.uniform());
  const values = Array.from({ length: shape[0]! * row }, (_, i) =>
    random.below(2) ? scales[Math.floor(i / row)]! : -scales[Math.floor(i / row)]!,
  );
  return g.initializer("w", tensorOf("float32", shape, values));
}

const normal = (g: TypedBuilder, shape: readonly number[]) =>
  g.initializer(
    "b",
    tensorOf(
      "float32",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    ),
  );

const padded: Attributes = { pads: ints([1, 1, 1, 1]) };

describe("binary layers", () => {
  const cases: Readonly<Record<string, readonly [Graph, readonly string[]]>> = {
    "binary weights, with bias, sum and Relu": [
      network([9, 7, 8], (g, x) => {
        const y = g.op("Conv", [x, binary(g, [9, 9, 3, 3]), normal(g, [9])], padded);
        return g.op("Relu", [g.add(y, x)]);
      }),
      ["spread", "sums", "sparseConv"],
    ],
    "so many channels that they come in parts": [
      network([70, 6, 5], (g, x) => g.op("Conv", [x, binary(g, [17, 70, 3, 3]), normal(g, [17])], padded)),
      ["spread", "sums", "sparseConv", "sums", "sparseConv", "sums", "sparseConv"],
    ],
    "one magnitude in all, 1x1": [
      network([16, 4, 8], (g, x) => {
        const values = Array.from({ length: 16 * 16 }, () => (random.below(2) ? 0.3 : -0.3));
        return g.op("Conv", [x, g.initializer("w", tensorOf("float32", [16, 16, 1, 1], values))]);
      }),
      ["sums", "sparseConv"],
    ],
    "in groups, with strides and dilations": [
      network([6, 13, 11], (g, x) =>
        g.op("Conv", [x, binary(g, [20, 3, 3, 2]), normal(g, [20])], {
          group: int(2),
          strides: ints([2, 1]),
          dilations: ints([1, 2]),
          pads: ints([1, 0, 2, 1]),
        }),
      ),
      ["spread", "sums", "sparseConv", "sums", "sparseConv"],
    ],
    "signs of both, with zeros": [
      network([11, 9, 10], (g, x) => {
        const y = g.op("Conv", [g.op("Sign", [g.op("Relu", [x])]), binary(g, [11, 11, 3, 3]), normal(g, [11])], padded);
        return g.op("Relu", [g.add(y, x)]);
      }),
      ["unary", "signBits", "xnorConv"],
    ],
    "signs of both, with strides": [
      network([7, 9, 10], (g, x) => {
        const attributes = { pads: ints([1, 1, 0, 1]), strides: ints([2, 1]) };
        return g.op("Conv", [g.op("Sign", [x]), binary(g, [8, 7, 3, 3])], attributes);
      }),
      ["signBits", "xnorConv"],
    ],
    "signs of both, uneven pads in groups": [
      network([8, 5, 17], (g, x) => {
        const attributes = { pads: ints([0, 2, 1, 0]), dilations: ints([1, 2]), group: int(2) };
        return g.op("Conv", [g.op("Sign", [x]), binary(g, [14, 4, 2, 3])], attributes);
      }),
      ["signBits", "xnorConv", "signBits", "xnorConv"],
    ],
    "signs of both, 1x1 in groups": [
      network([12, 5, 5], (g, x) => g.op("Conv", [g.op("Sign", [x]), binary(g, [32, 6, 1, 1])], { group: int(2) })),
      ["signBits", "xnorConv", "signBits", "xnorConv"],
    ],
    "signs that another node reads too": [
      network([8, 6, 6], (g, x) => {
        const signs = g.op("Sign", [x]);
        return g.add(g.op("Conv", [signs, binary(g, [8, 8, 3, 3])], padded), signs);
      }),
      ["unary", "signBits", "xnorConv"],
    ],
    "signs times a map of scales": [
      network([8, 6, 6], (g, x) => {
        const mean = g.op("ReduceMean", [g.op("Abs", [x])], { axes: ints([1]) });
        const map = g.op("AveragePool", [mean], { ...padded, kernel_shape: ints([3, 3]), count_include_pad: int(1) });
        return g.op("Mul", [g.op("Conv", [g.op("Sign", [x]), binary(g, [8, 8, 3, 3])], padded), map]);
      }),
      ["unary", "sparseConv", "spread", "pool", "signBits", "xnorConv"],
    ],
    "the same with bias, normalization, sum and Relu": [
      network([9, 7, 5], (g, x) => {
        const mean = g.op("ReduceMean", [g.op("Abs", [x])], { axes: ints([1]) });
        const y = g.op("Mul", [mean, g.op("Conv", [g.op("Sign", [x]), binary(g, [18, 9, 1, 1])])]);
        const [scale, bias, shift, center] = [normal(g, [18]), normal(g, [18]), normal(g, [18, 1, 1]), normal(g, [18])];
        const spread = g.initializer("variance", tensorOf("float32", [18], new Array(18).fill(2)));
        const z = g.op("BatchNormalization", [g.add(y, shift), scale, bias, center, spread]);
        return g.op("Relu", [g.add(z, g.op("Concat", [x, x], { axis: int(1) }))]);
      }),
      ["unary", "sparseConv", "signBits", "xnorConv", "arithmetic"],
    ],
    "a map behind a bias": [
      network([8, 6, 6], (g, x) => {
        const y = g.op("Conv", [g.op("Sign", [x]), binary(g, [16, 8, 1, 1]), normal(g, [16])]);
        return g.op("Mul", [y, normal(g, [1, 1, 6, 6])]);
      }),
      ["signBits", "xnorConv", ...Array(16).fill("arithmetic")],
    ],
    "a map that is repeated over channels": [
      network([3, 5, 6], (g, x) => g.op("Mul", [x, normal(g, [5, 6])])),
      ["arithmetic", "arithmetic", "arithmetic"],
    ],
    "a dense layer": [
      network([70], (g, x) =>
        g.op("Gemm", [x, binary(g, [19, 70]), normal(g, [19])], { transB: int(1), alpha: float(0.5), beta: float(2) }),
      ),
      ["sums", "sparseGemm"],
    ],
    "too few outputs to pay": [network([8, 6, 6], (g, x) => g.op("Conv", [x, binary(g, [5, 8, 1, 1])])), ["conv"]],
    "depthwise layers stay as they are": [
      network([8, 6, 6], (g, x) => g.op("Conv", [x, binary(g, [32, 1, 3, 3])], { ...padded, group: int(8) })),
      ["spread", "depthwise"],
    ],
  };

  it.each(Object.keys(cases))("%s", async (name) => {
    const [graph, kernels] = cases[name]!;
    const file = writePare(graph);
    expect(kernelsOf(file)).toEqual(kernels);
    const shape = graph.inputs[0]!.shape!.slice(1) as number[];
    const size = shape.reduce((a, b) => a * b, 1);
    const pixels = Float32Array.from({ length: 3 * size }, () => random.normal());
    const session = await openSession(graph);
    const expected = await session.run(new Map([["x", tensorOf("float32", [3, ...shape], pixels)]]));
    await session.release();
    const want = toNumbers([...expected.values()][0]!);
    const scale = Math.max(...want.map(Math.abs));
    for (const variant of variants) {
      const got = Object.values((await load(file, { variant })).run(pixels))[0]!;
      for (const [i, value] of want.entries()) expect(Math.abs(got[i]! - value) / scale).toBeLessThan(2e-6);
    }
  });
});
