import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataset } from "../../src/data/index.ts";
import type { Preprocessing } from "../../src/data/preprocessing.ts";
import { agreementOf, evaluateModel, wilsonInterval } from "../../src/engine/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { dataFolder, hasData } from "../data/_fixtures.ts";
import { haveSharedModels, sharedModel, sharedModelFile } from "../shared-models.ts";
import { pixelNet, pixelSplit, plainGrey } from "./tiny-nets.ts";

const format = { classes: 6, storedShape: [1, 2, 3] as const, preprocessing: plainGrey };

/** Image 0 is right, 1 has its class second, 2 last of six, 3 ties its class with a lower one. */
const split = pixelSplit(
  [
    [9, 0, 0, 0, 0, 0],
    [7, 8, 0, 0, 0, 0],
    [5, 4, 3, 2, 1, 0],
    [0, 6, 6, 0, 0, 0],
  ],
  [0, 0, 5, 2],
);

/** `-log softmax(row)[label]`, in doubles. */
const crossEntropy = (row: readonly number[], label: number) =>
  Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[label]!;

describe("evaluateModel", () => {
  it("counts top-1 and top-5 and takes the mean cross-entropy", async () => {
    const result = await evaluateModel(pixelNet(), split, format);
    expect([...result.predictions]).toEqual([0, 1, 0, 1]);
    expect(result).toMatchObject({ samples: 4, correct: 1, top1: 0.25, top5: 0.75 });
    const rows = [0, 1, 2, 3].map((i) => [...split.images.subarray(6 * i, 6 * i + 6)]);
    const expected = rows.reduce((sum, row, i) => sum + crossEntropy(row, split.labels[i]!), 0) / 4;
    expect(result.loss).toBeCloseTo(expected, 5);
  });

  it.each(["Softmax", "LogSoftmax"] as const)("reads the loss before a final %s", async (end) => {
    const plain = await evaluateModel(pixelNet(), split, format);
    const ended = await evaluateModel(pixelNet("N", end), split, format);
    expect(ended.loss).toBeCloseTo(plain.loss, 4);
    expect(ended.predictions).toEqual(plain.predictions);
  });

  it.each([1, 3, 8])("gives the same where the model fixes its batch to %i", async (batch) => {
    const result = await evaluateModel(pixelNet(batch), split, format);
    expect(result).toEqual(await evaluateModel(pixelNet(), split, { ...format, batch: 2 }));
  });

  it("heeds the limit and tells its progress", async () => {
    const calls: number[][] = [];
    const onProgress = (done: number, total: number) => calls.push([done, total]);
    const result = await evaluateModel(pixelNet(), split, { ...format, limit: 3, batch: 2, onProgress });
    expect(result.samples).toBe(3);
    expect(calls).toEqual([
      [2, 3],
      [3, 3],
    ]);
  });

  it("preprocesses: bytes·scale, minus mean, over std", async () => {
    const g = new TypedBuilder("threshold");
    const image = g.input("image", "float32", ["N", 1, 1, 2]);
    g.output(g.op("Flatten", [image]));
    const preprocessing = { scale: 0.5, mean: [100], std: [-1], channels: "grey" as const };
    const two = { classes: 2, storedShape: [1, 1, 2] as const, preprocessing };
    const images = { images: Uint8Array.from([10, 200]), labels: Uint16Array.from([0]), length: 1 };
    const { loss, correct } = await evaluateModel(g.build(), images, two);
    expect(correct).toBe(1);
    expect(loss).toBeCloseTo(Math.log(1 + Math.exp(0 - 95)), 6);
  });

  it("says what does not fit", async () => {
    const refused = (options: Partial<typeof format>, images = split) =>
      expect(evaluateModel(pixelNet(), images, { ...format, ...options })).rejects;
    await refused({ classes: 5 }).toThrow("the model gives 6 scores an image and the data has 5 classes");
    await refused({ storedShape: [1, 3, 2] as const as never }).toThrow(
      "reads images of 2x3 pixels and the data holds 3x2",
    );
    await refused({ preprocessing: { ...plainGrey, channels: "rgb" } }).toThrow("give --channels grey");
    await refused({}, pixelSplit([], [])).toThrow("there is no image");
    await refused({ preprocessing: { ...plainGrey, scale: Number.NaN } }).toMatchObject({ code: "diverged" });
  });

  it("refuses other inputs than one of images", async () => {
    const g = new TypedBuilder("two");
    const [a, b] = [g.input("a", "float32", ["N", 1, 2, 3]), g.input("b", "float32", ["N", 1, 2, 3])];
    g.output(g.op("Flatten", [g.add(a, b)]));
    await expect(evaluateModel(g.build(), split, format)).rejects.toThrow("has 2 inputs ('a', 'b')");
    const last = new TypedBuilder("channels last");
    last.output(last.op("Flatten", [last.input("x", "float32", ["N", 2, 3, 1])]));
    await expect(evaluateModel(last.build(), split, format)).rejects.toThrow("looks like (N, H, W, C)");
  });
});

describe("wilsonInterval", () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("%i of %i", (correct, samples, low, high) => {
    const interval = wilsonInterval(correct, samples);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });
});

it("agreementOf is the share of equal answers", () => {
  expect(agreementOf(Uint16Array.of(1, 2, 3, 4), Uint16Array.of(1, 0, 3, 4))).toBe(0.75);
  expect(() => agreementOf(Uint16Array.of(1), Uint16Array.of(1, 2))).toThrow("internal");
});

/** Models trained elsewhere, on the first thousand test images; counted by a bare loop over onnxruntime 1.30 without netpare. */
const published: readonly {
  model: string;
  data: "cifar10" | "mnist";
  correct: number;
  preprocessing: Preprocessing;
}[] = [
  {
    model: "cifar10_resnet32",
    data: "cifar10",
    correct: 928,
    preprocessing: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], channels: "rgb" },
  },
  {
    model: "cifar10_distiller_resnet20_dense",
    data: "cifar10",
    correct: 921,
    preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.5], channels: "rgb" },
  },
  {
    model: "mlperftiny_resnet8_cifar10",
    data: "cifar10",
    correct: 881,
    preprocessing: { scale: 1, mean: [0], std: [1], channels: "rgb" },
  },
  {
    model: "mnist-8",
    data: "mnist",
    correct: 984,
    preprocessing: { scale: 1 / 255, mean: [0], std: [1], channels: "grey" },
  },
];

describe.skipIf(!haveSharedModels || !hasData("cifar10") || !hasData("mnist"))(
  "models trained elsewhere (needs NETPARE_SHARED, NETPARE_DATA)",
  () => {
    it.each(published)("$model: $correct of the first 1000", async ({ model, data, correct, preprocessing }) => {
      const dataset = await openDataset(`${data}:${join(dataFolder!, data)}`, { only: "test" });
      const result = await evaluateModel(await sharedModel(model), dataset.test, {
        classes: 10,
        storedShape: [dataset.channels, dataset.height, dataset.width],
        preprocessing,
        file: sharedModelFile(model),
        limit: 1000,
      });
      expect(result.correct).toBe(correct);
    });
  },
);
