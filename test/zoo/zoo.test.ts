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
  ])("$name $settings: $parameters parameters, $macs MACs", ({ name, settings, parameters, macs }) => {
    const still = { ...createRandom(1), normal: () => 0, uniform: () => 0.5 };
    const cost = analyzeCost(findArchitecture(name).build(settings, still));
    expect({ parameters: cost.parameters, macs: cost.macs }).toEqual({ parameters, macs });
    expect(cost.unsupported).toEqual([]);
  });
});

describe("every architecture", () => {
  const settings: Readonly<Record<string, Record<string, number>>> = {
    "vgg-s": { size: 48, width: 0.125, channels: 1 },
    "vgg-16": { width: 0.125 },
    "wide-resnet": { depth: 10, width: 0.5 },
    densenet: { depth: 16, growth: 4 },
    "squeezenet-1.0": { size: 48, width: 0.125, channels: 1 },
    "squeezenet-1.1": { size: 48, width: 0.125, channels: 1 },
  };

  it.each(architectures.map(({ name }) => name))(
    "%s runs in onnxruntime at any batch and gives finite scores",
    async (name) => {
      const graph = build(name, { ...settings[name], classes: 7 });
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
    const bytes = encodeModel(build(name, settings[name]));
    const same = (other: Uint8Array) => Buffer.compare(bytes, other) === 0;
    expect(same(encodeModel(decodeModel(bytes)))).toBe(true);
    expect(same(encodeModel(build(name, settings[name])))).toBe(true);
    expect(same(encodeModel(build(name, settings[name], 2)))).toBe(false);
  });

  it.each(architectures.map(({ name }) => name))("%s has a gradient for every parameter", (name) => {
    const graph = build(name, { ...settings[name], classes: 7 });
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

  it("keeps the variance of features through its depth (He, Xavier)", async () => {
    const graph = build("vgg-s", { size: 48, width: 0.25, channels: 1 });
    const probe = {
      ...graph,
      outputs: [{ name: "conv5", dtype: "float32" as const, shape: undefined }, ...graph.outputs],
    };
    const session = await openSession(probe);
    const images = tensor("float32", [8, 1, 48, 48]);
    const random = createRandom(9);
    for (let i = 0; i < images.data.length; i++) images.data[i] = random.normal();
    const features = toNumbers((await session.run(new Map([["image", images]]))).get("conv5")!);
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
