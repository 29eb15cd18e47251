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
import { smallSettings } from "./small-settings.ts";

const build = (name: string, settings = {}, seed = 1) => findArchitecture(name).build(settings, createRandom(seed));

describe("counts", () => {
  it.each([
    // LeCun et al. 1998; Han et al. 2015, table 1.
    { name: "lenet-300-100", parameters: 266_610, macs: 266_200 },
    { name: "lenet-5", parameters: 431_080, macs: 2_293_000 },
    // He et al. 2015, table 6: 0.27 M, 0.46 M, 0.85 M parameters; 41 M, 69 M, 125 M multiply-adds.
    { name: "resnet-8", parameters: 75_290, macs: 12_239_488 },
    { name: "resnet-20", parameters: 269_722, macs: 40_551_040 },
    { name: "resnet-32", parameters: 464_154, macs: 68_862_592 },
    { name: "resnet-56", parameters: 853_018, macs: 125_485_696 },
    { name: "faces-net", parameters: 297_704, macs: 27_003_904 },
  ])("$name: $parameters parameters, $macs MACs", ({ name, parameters, macs }) => {
    const cost = analyzeCost(build(name));
    expect({ parameters: cost.parameters, macs: cost.macs }).toEqual({ parameters, macs });
    expect(cost.unsupported).toEqual([]);
  });

  it.each([
    // Kim et al. 2016, table 3: 103 M, 2.64 G.
    { name: "vgg-s", settings: { classes: 1000 }, parameters: 102_908_520, macs: 2_637_708_320 },
    // Li et al. 2017, arXiv:1608.08710, table 1: 1.5e7, 3.13e8.
    { name: "vgg-16", settings: {}, parameters: 14_987_722, macs: 313_463_808 },
    // Zagoruyko, Komodakis 2016, tables 4 and 5: 2.7 M (16-4, the authors' repository), 8.9 M, 36.5 M.
    { name: "wide-resnet", settings: {}, parameters: 2_748_890, macs: 392_612_352 },
    { name: "wide-resnet", settings: { depth: 40 }, parameters: 8_949_210, macs: 1_298_582_016 },
    { name: "wide-resnet", settings: { depth: 28, width: 10 }, parameters: 36_479_194, macs: 5_243_328_768 },
    // Huang et al. 2016, table 2: 0.8 M (BC, L = 100, k = 12), 1.0 M (L = 40, k = 12).
    { name: "densenet", settings: {}, parameters: 769_162, macs: 287_929_692 },
    {
      name: "densenet",
      settings: { depth: 40, bottleneck: 0, compression: 1 },
      parameters: 1_019_722,
      macs: 264_812_928,
    },
    // The counts that Caffe's release and torchvision give.
    { name: "squeezenet-1.0", settings: { classes: 1000 }, parameters: 1_248_424, macs: 818_924_576 },
    { name: "squeezenet-1.1", settings: { classes: 1000 }, parameters: 1_235_496, macs: 349_151_936 },
    // pjreddie.com/darknet/tiny-darknet: 4.0 MB, 0.98 G operations (two to a MAC).
    { name: "tiny-darknet", settings: { classes: 1000 }, parameters: 1_042_104, macs: 491_524_096 },
    // HasanPour et al. 2016, table 1: 5.48 M and 310 K weights; 6,538 and 1,482 of ours are biases and batch norm.
    { name: "simplenet", settings: {}, parameters: 5_484_736 + 6_538, macs: 652_151_296 },
    { name: "simplenet-310k", settings: {}, parameters: 309_568 + 1_482, macs: 55_788_160 },
    // Romero et al. 2014, table 6: 250 K, 862 K, 1.6 M, 2.5 M weights; 30 M, 108 M, 392 M, 382 M. See fitnet.ts for FitNet-3.
    { name: "fitnet-1", settings: {}, parameters: 249_576 + 1_618, macs: 30_150_024 },
    { name: "fitnet-2", settings: {}, parameters: 861_928 + 2_194, macs: 107_775_880 },
    { name: "fitnet-3", settings: {}, parameters: 1_503_304 + 2_834, macs: 323_946_376 },
    { name: "fitnet-4", settings: {}, parameters: 2_544_712 + 3_890, macs: 381_749_128 },
    // Hong et al. 2016, table 3: 0.6 G with the two hidden layers.
    { name: "pvanet", settings: { classes: 1000 }, parameters: 3_285_096, macs: 511_476_736 },
    { name: "pvanet", settings: { classes: 1000, hidden: 4096 }, parameters: 100_852_840, macs: 609_036_288 },
  ])("$name $settings: $parameters parameters, $macs MACs", ({ name, settings, parameters, macs }) => {
    const still = { ...createRandom(1), normal: () => 0, uniform: () => 0.5 };
    const cost = analyzeCost(findArchitecture(name).build(settings, still));
    expect({ parameters: cost.parameters, macs: cost.macs }).toEqual({ parameters, macs });
    expect(cost.unsupported).toEqual([]);
  });
});

describe("pvanet", () => {
  // Hong et al. 2016, table 1: weights in thousands and MACs in millions at 1056x640.
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
    const still = { ...createRandom(1), normal: () => 0, uniform: () => 0.5 };
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
