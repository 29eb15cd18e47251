/** Trainings that go wrong at a known place. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Split } from "../../src/data/index.ts";
import { trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf } from "../../src/tensor/tensor.ts";

const folder = mkdtempSync(path.join(tmpdir(), "netpare-divergence-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = createRandom(8);
const train: Split = {
  images: Uint8Array.from({ length: 32 * 6 }, () => random.below(256)),
  labels: Uint16Array.from({ length: 32 }, (_, i) => i % 2),
  length: 32,
};
const data = {
  train,
  classes: 2,
  storedShape: [1, 2, 3] as const,
  preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.25], channels: "grey" as const },
};
const drawn = (shape: readonly number[], scale = 0.3, mean = 0) =>
  tensorOf(
    "float32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => mean + scale * random.normal()),
  );

/** Two dense layers with `between` in the middle. */
function net(
  between: (g: TypedBuilder, x: string) => string,
  second: Tensor = drawn([4, 2]),
  first: Tensor = drawn([6, 4]),
): Graph {
  const g = new TypedBuilder("net");
  const flat = g.op("Flatten", [g.input("image", "float32", ["N", 1, 2, 3])], {}, { name: "flatten" });
  const hidden = g.op("MatMul", [flat, g.initializer("first/weight", first)], {}, { name: "first" });
  const passed = between(g, hidden);
  g.output(g.op("MatMul", [passed, g.initializer("second/weight", second)], {}, { name: "second" }));
  return g.build();
}

const optionsOf = (given: object) =>
  trainingSchema.parse({ batch: 8, epochs: 200, momentum: 0, weightDecay: 0, threads: 1, ...given });
const trainNet = (graph: Graph, given: object, extra: object = {}) =>
  trainModel(graph, data, { options: optionsOf(given), inline: true, ...extra });

describe("a training that diverges", () => {
  it("names the layer whose output is the first that is no number", async () => {
    const graph = net((g, x) => g.op("Log", [x], {}, { name: "middle/log" }));
    await expect(trainNet(graph, {})).rejects.toThrowError(
      /^training diverged at step 0 \(epoch 0\.00\): the loss is NaN, which began in layer 'middle\/log' \(Log\); try a lower --lr \(now 0\.05\), --warmup 1, --clip 1, or check the preprocessing$/,
    );
  });

  it("names the parameter whose gradient is the first that is no number", async () => {
    // The slope of Sqrt at 0 is infinite, its value is not.
    const graph = net((g, x) => g.op("Sqrt", [g.op("Relu", [x], {}, { name: "relu" })], {}, { name: "root" }));
    await expect(trainNet(graph, {})).rejects.toThrowError(
      /diverged at step 0 .* which began in the gradient of 'first\/weight' in layer 'first' \(MatMul\)/,
    );
  });

  it("names what the model brought along", async () => {
    const graph = net((_, x) => x, tensorOf("float32", [4, 2], [1, 1, Number.NaN, 1, 1, 1, 1, 1]));
    await expect(trainNet(graph, {})).rejects.toThrowError(
      /which began in the model as it was given, its 'second\/weight' in layer 'second' \(MatMul\)/,
    );
  });

  it("stops where the loss explodes, though it is a number, and names the layer that grew out of hand", async () => {
    const graph = net((g, x) => g.mul(x, x));
    await expect(trainNet(graph, { lr: 30, schedule: "constant" })).rejects.toThrowError(
      /diverged at step [1-9]\d* .*: the loss is [\d.e+]+, which began in layer '[^']+' \((Mul|MatMul)\); try a lower --lr \(now 30\)/,
    );
  });

  it("finds the step at which a parameter was lost that the loss does not show", async () => {
    // All images are positive and of one class, so that whole columns become -Infinity, which Clip turns into 0.
    const away = tensorOf("float32", [4, 2], [-100, 100, -100, 100, -100, 100, -100, 100]);
    const graph = net((g, x) => g.op("Clip", [x, g.scalar(0, x), g.scalar(1, x)]), away, drawn([6, 4], 0.01, 0.03));
    const positive = { ...data.preprocessing, mean: [-1] };
    const oneClass = { ...data, train: { ...train, labels: new Uint16Array(32) }, preprocessing: positive };
    const request = {
      options: optionsOf({ lr: 3e38 }),
      inline: true,
      recipe: { terms: [], frozen: ["second/weight"] },
    };
    await expect(trainModel(graph, oneClass, request)).rejects.toThrowError(
      /diverged at step 0 .*: a parameter is no number any more, which began in the update of 'first\/weight' in layer 'first'/,
    );
  });

  it("leaves a checkpoint from before, from which another learning rate goes on", async () => {
    const graph = net((g, x) => g.mul(x, x));
    const checkpoint = { file: path.join(folder, "before"), resume: true };
    const controller = new AbortController();
    const stop = { checkpoint, signal: controller.signal, onProgress: () => controller.abort() };
    const mild = { lr: 1e-3, schedule: "constant" };
    const before = await trainNet(graph, mild, stop);
    expect(before.stopped).toBe(true);
    await expect(trainNet(graph, { ...mild, lr: 1e20 }, { checkpoint })).rejects.toThrowError(
      /the checkpoint from before is kept, --resume goes on from it with another --lr$/,
    );
    expect(existsSync(checkpoint.file)).toBe(true);
    const after = await trainNet(graph, mild, { checkpoint });
    expect(after.steps).toBe(800);
    const whole = await trainNet(graph, mild);
    expect(after.curve.map(({ loss }) => loss)).toEqual(whole.curve.map(({ loss }) => loss));
  });
});
