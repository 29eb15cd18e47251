import { describe, expect, it } from "vitest";
import {
  type ConvSizes,
  chooseDataForm,
  chooseWeightForm,
  dataForms,
  weightForms,
} from "../../src/ops/_conv-gradient.ts";
import { windowAxes } from "../../src/ops/_sliding-window.ts";
import { evaluateGraph, toFloat64 } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { castTensor, type Tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { expectClose, runOnnxruntime } from "./check-op.ts";

interface Geometry {
  readonly name: string;
  readonly channels: number;
  readonly outputs: number;
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly strides?: readonly number[];
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly group?: number;
}

const geometries: readonly Geometry[] = [
  { name: "3x3 same", channels: 3, outputs: 4, input: [5, 6], kernel: [3, 3], pads: [1, 1, 1, 1] },
  {
    name: "3x3 stride 2, uneven pads",
    channels: 2,
    outputs: 3,
    input: [8, 7],
    kernel: [3, 3],
    strides: [2, 2],
    pads: [0, 1, 1, 0],
  },
  { name: "rows left over", channels: 2, outputs: 3, input: [9, 8], kernel: [2, 3], strides: [3, 4] },
  { name: "1x1", channels: 3, outputs: 2, input: [4, 5], kernel: [1, 1] },
  { name: "1x1 stride 2", channels: 3, outputs: 2, input: [5, 4], kernel: [1, 1], strides: [2, 2] },
  { name: "1x1 padded", channels: 3, outputs: 2, input: [4, 4], kernel: [1, 1], pads: [1, 0, 0, 1] },
  {
    name: "dilated",
    channels: 2,
    outputs: 3,
    input: [9, 8],
    kernel: [3, 2],
    dilations: [2, 3],
    strides: [1, 2],
    pads: [1, 2, 1, 2],
  },
  { name: "grouped", channels: 6, outputs: 4, input: [5, 5], kernel: [3, 3], pads: [1, 1, 1, 1], group: 2 },
  { name: "depthwise", channels: 4, outputs: 4, input: [5, 6], kernel: [3, 3], pads: [1, 1, 1, 1], group: 4 },
  {
    name: "depthwise stride 2, dilated",
    channels: 3,
    outputs: 3,
    input: [9, 8],
    kernel: [3, 3],
    strides: [2, 2],
    dilations: [1, 2],
    group: 3,
  },
  { name: "two outputs a channel", channels: 3, outputs: 6, input: [6, 5], kernel: [3, 3], group: 3 },
  { name: "one axis", channels: 3, outputs: 2, input: [11], kernel: [3], strides: [2], pads: [1, 0] },
  { name: "three axes", channels: 2, outputs: 3, input: [4, 5, 3], kernel: [2, 3, 2], pads: [0, 1, 0, 1, 0, 0] },
];

const batch = 3;

function sizesOf({ channels, outputs, input, kernel, strides, pads, dilations, group = 1 }: Geometry): ConvSizes {
  const axes = windowAxes({ auto_pad: "NOTSET", strides, pads, dilations }, kernel, input);
  return { axes, channels, outputs, group };
}

/** Emits one gradient from random inputs and runs it by the reference in float64 and on onnxruntime. */
async function run(inputs: Record<string, readonly number[]>, emit: (g: TypedBuilder) => string) {
  const random = createRandom(5);
  const g = new TypedBuilder("gradient");
  const feeds = new Map<string, Tensor>();
  for (const [name, shape] of Object.entries(inputs)) {
    const size = shape.reduce((a, b) => a * b, 1);
    feeds.set(
      name,
      tensorOf(
        "float32",
        g.shape(g.input(name, "float32", shape)),
        Array.from({ length: size }, () => random.normal()),
      ),
    );
  }
  const result = emit(g);
  g.output(result);
  const graph = g.build();
  const wide = new Map([...feeds].map(([name, t]) => [name, castTensor(t, "float64")] as const));
  return {
    exact: evaluateGraph(toFloat64(graph), wide).get(result)!,
    engine: (await runOnnxruntime(graph, feeds)).get(result)!,
  };
}

describe("the forms of a convolution's gradients", () => {
  for (const geometry of geometries)
    it(`agree: ${geometry.name}`, async () => {
      const sizes = sizesOf(geometry);
      const { axes, channels, outputs, group } = sizes;
      const windows = axes.map((axis) => axis.output);
      const weight = [outputs, channels / group, ...geometry.kernel];
      const [x, gy] = [
        [batch, channels, ...geometry.input],
        [batch, outputs, ...windows],
      ];
      // The plain forms are held against finite differences by Conv's table; the others against the plain ones here.
      const plainWeight = await run({ x, gy }, (g) => weightForms.transposed.emit(g, "x", "gy", weight, sizes));
      for (const [name, form] of Object.entries(weightForms)) {
        if (!form.fits(sizes)) continue;
        const { exact, engine } = await run({ x, gy }, (g) => form.emit(g, "x", "gy", weight, sizes));
        expectClose(`weight gradient, ${name}`, exact, plainWeight.exact, 1e-12);
        expectClose(`weight gradient, ${name}, onnxruntime`, engine, plainWeight.exact, 1e-5);
      }
      const plainData = await run({ gy, w: weight }, (g) => dataForms.transposed.emit(g, "gy", "w", sizes));
      for (const [name, form] of Object.entries(dataForms)) {
        if (!form.fits(sizes)) continue;
        const { exact, engine } = await run({ gy, w: weight }, (g) => form.emit(g, "gy", "w", sizes));
        expectClose(`data gradient, ${name}`, exact, plainData.exact, 1e-12);
        expectClose(`data gradient, ${name}, onnxruntime`, engine, plainData.exact, 1e-5);
      }
    });

  it("are picked per shape", () => {
    const square = (channels: number, size: number, outputs: number, kernel: number, pad = 0, stride = 1, group = 1) =>
      sizesOf({
        name: "",
        channels,
        outputs,
        input: [size, size],
        kernel: [kernel, kernel],
        pads: [pad, pad, pad, pad],
        strides: [stride, stride],
        group,
      });
    const picked = (sizes: ConvSizes) => [chooseWeightForm(sizes), chooseDataForm(sizes)];
    expect(picked(square(16, 32, 16, 3, 1))).toEqual(["interleaved", "flipped"]);
    expect(picked(square(3, 32, 16, 3, 1))).toEqual(["interleaved", "transposed"]);
    expect(picked(square(16, 32, 32, 3, 1, 2))).toEqual(["interleaved", "transposed"]);
    expect(picked(square(20, 12, 50, 5))).toEqual(["interleaved", "transposed"]);
    expect(picked(square(256, 4, 256, 3, 1))).toEqual(["products", "flipped"]);
    expect(picked(square(32, 16, 64, 1))).toEqual(["pointwise", "flipped"]);
    expect(picked(square(64, 16, 64, 3, 1, 1, 64))).toEqual(["taps", "flipped"]);
    expect(picked(square(64, 16, 64, 3, 1, 2, 64))).toEqual(["interleaved", "transposed"]);
  });
});
