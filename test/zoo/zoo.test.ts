/** Counts against the papers, and the form that every architecture shares. */
import { describe, expect, it } from "vitest";
import { analyzeCost } from "../../src/analysis/cost.ts";
import { buildTrainingStep } from "../../src/autodiff/training-step.ts";
import { openSession } from "../../src/engine/session.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { architectures, findArchitecture } from "../../src/zoo/index.ts";
import { published } from "./published.ts";
import { smallSettings } from "./small-settings.ts";

const build = (name: string, settings = {}, seed = 1) => findArchitecture(name).build(settings, createRandom(seed));

const still = { ...createRandom(1), normal: () => 0, uniform: () => 0.5 };

describe("counts", () => {
  it.each(published)("$name $settings: $parameters parameters, $macs MACs", ({ name, settings, parameters, macs }) => {
    const cost = analyzeCost(findArchitecture(name).build(settings, still));
    expect({ parameters: cost.parameters, macs: cost.macs }).toEqual({ parameters, macs });
    expect(cost.unsupported).toEqual([]);
  });

  it("every architecture has some", () => {
    expect(new Set(published.map(({ name }) => name))).toEqual(new Set(architectures.map(({ name }) => name)));
  });
});

describe("pvanet", () => {
  // Hong et al. 2016, the table of the trunk: weights in thousands and MACs in millions at 1056x640.
  it.each([
    { layer: "conv1", kilo: 2.4, mega: 397 },
    { layer: "conv2_1", kilo: 11, mega: 468 },
    { layer: "conv2_2", kilo: 9.8, mega: 414 },
    { layer: "conv3_1", kilo: 44, mega: 468 },
    { layer: "conv3_2", kilo: 39, mega: 414 },
    { layer: "conv4_1", kilo: 247, mega: 653 },
    { layer: "conv4_2", kilo: 205, mega: 542 },
    { layer: "conv5_1", kilo: 573, mega: 378 },
    { layer: "conv5_4", kilo: 418, mega: 276 },
  ])("$layer has the paper's $kilo K weights and $mega M MACs", ({ layer, kilo, mega }) => {
    const { layers } = analyzeCost(findArchitecture("pvanet").build({ size: 1024, classes: 1000 }, still));
    const own = layers.filter(({ name, op }) => op === "Conv" && (name === layer || name.startsWith(`${layer}/`)));
    const weights = own.reduce((sum, { parameters }) => sum + parameters, 0);
    const macs = own.reduce((sum, cost) => sum + cost.macs, 0) * ((1056 * 640) / 1024 ** 2);
    const digits = kilo < 10 ? 1 : 0;
    expect((weights / 1e3).toFixed(digits)).toBe(kilo.toFixed(digits));
    expect(Math.abs(macs / 1e6 - mega)).toBeLessThan(1);
  });
});

describe("every architecture", () => {
  it.each(architectures.map(({ name }) => name))(
    "%s runs in onnxruntime at any batch and gives finite scores",
    async (name) => {
      const graph = build(name, { ...smallSettings[name], classes: 7 });
      const [channels, height, width] = (graph.inputs[0]!.shape ?? []).slice(1) as number[];
      const session = await openSession(graph);
      for (const n of [1, 3]) {
        const images = tensor("float32", [n, channels!, height!, width!]);
        const random = createRandom(5);
        for (let i = 0; i < images.data.length; i++) images.data[i] = random.normal();
        const logits = (await session.run(new Map([["image", images]]))).get("logits")!;
        expect(logits.shape).toEqual([n, 7]);
        const values = toNumbers(logits);
        expect(values.every(Number.isFinite)).toBe(true);
        expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(1e-3);
      }
      await session.release();
    },
  );

  it.each(architectures.map(({ name }) => name))("%s survives its file, and the seed fixes its bytes", (name) => {
    const bytes = encodeModel(build(name, smallSettings[name]));
    const same = (other: Uint8Array) => Buffer.compare(bytes, other) === 0;
    expect(same(encodeModel(decodeModel(bytes)))).toBe(true);
    expect(same(encodeModel(build(name, smallSettings[name])))).toBe(true);
    expect(same(encodeModel(build(name, smallSettings[name], 2)))).toBe(false);
  });

  it.each(architectures.map(({ name }) => name))("%s has a gradient for every parameter", (name) => {
    const graph = build(name, { ...smallSettings[name], classes: 7 });
    const [channels, height, width] = (graph.inputs[0]!.shape ?? []).slice(1) as [number, number, number];
    const step = buildTrainingStep(graph, {
      batch: 2,
      classes: 7,
      imageShape: [channels, height, width],
      optimizer: { optimizer: "sgd", momentum: 0, nesterov: false, weightDecay: 0 },
      objective: { terms: [] },
    });
    const floats = [...graph.initializers].filter(([, { dtype, shape }]) => dtype === "float32" && shape.length > 0);
    expect([...step.trained].sort()).toEqual(floats.map(([initializer]) => initializer).sort());
  });

  it.each([
    { name: "vgg-s", width: 0.25, last: "conv5", draws: "He" },
    { name: "squeezenet-1.1", width: 0.5, last: "fire9/concat", draws: "He" },
    { name: "fitnet-4", width: 0.5, last: "conv3_6/maxout", draws: "LeCun" },
  ])("$name keeps the variance of features through its depth ($draws)", async ({ name, width, last }) => {
    const graph = build(name, { size: 48, width, channels: 1 });
    const probe = {
      ...graph,
      outputs: [{ name: last, dtype: "float32" as const, shape: undefined }, ...graph.outputs],
    };
    const session = await openSession(probe);
    const images = tensor("float32", [8, 1, 48, 48]);
    const random = createRandom(9);
    for (let i = 0; i < images.data.length; i++) images.data[i] = random.normal();
    const features = toNumbers((await session.run(new Map([["image", images]]))).get(last)!);
    const deviation = Math.sqrt(features.reduce((sum, v) => sum + v * v, 0) / features.length);
    expect(deviation).toBeGreaterThan(0.1);
    expect(deviation).toBeLessThan(10);
    await session.release();
  });
});

describe("settings", () => {
  it("are checked: unknown names, ranges, names of architectures", () => {
    expect(() => build("resnet-20", { depth: 3 })).toThrow(NetpareError);
    expect(() => build("lenet-5", { size: 4 })).toThrow(/size/);
    expect(() => findArchitecture("resnet-21")).toThrow(/resnet-20/);
  });

  it("scale: width doubles channels, size changes the input", () => {
    const narrow = analyzeCost(build("resnet-8", { width: 8 }));
    const wide = analyzeCost(build("resnet-8", { width: 16 }));
    expect(wide.macs / narrow.macs).toBeGreaterThan(3.5);
    expect(build("faces-net", { size: 64, channels: 3 }).inputs[0]!.shape).toEqual(["N", 3, 64, 64]);
  });
});
