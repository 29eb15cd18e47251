import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { analyzeCost } from "../../src/analysis/index.ts";
import { buildTrainingStep } from "../../src/autodiff/training-step.ts";
import { estimateEnergy, measureEnergy, openEnergyMeter } from "../../src/engine/energy.ts";
import { describeEnergyConstants, picojoulesPerByte, picojoulesPerMac } from "../../src/engine/energy-constants.ts";
import { trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { int } from "../../src/graph/attributes.ts";
import { findMethod } from "../../src/methods/index.ts";
import { simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { Net } from "../analysis/nets.ts";
import { fixtureContext, fixtures } from "../methods/fixtures.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { pixelNet } from "./tiny-nets.ts";

const folder = mkdtempSync(join(tmpdir(), "netpare-energy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A powercap tree of zones `name: counter`; returns its root and a way to set a counter. */
function fakeCounters(tree: string, zones: Readonly<Record<string, readonly [name: string, energy: number]>>) {
  const root = join(folder, tree);
  const set = (zone: string, energy: number) => writeFileSync(join(root, zone, "energy_uj"), `${energy}\n`);
  mkdirSync(join(root, "intel-rapl"), { recursive: true });
  for (const [zone, [name, energy]] of Object.entries(zones)) {
    mkdirSync(join(root, zone));
    writeFileSync(join(root, zone, "name"), `${name}\n`);
    writeFileSync(join(root, zone, "max_energy_range_uj"), "1000000000\n");
    set(zone, energy);
  }
  return { root, set };
}

const twoPackages = {
  "intel-rapl:0": ["package-0", 5_000_000],
  "intel-rapl:0:0": ["core", 3_000_000],
  "intel-rapl:0:1": ["uncore", 1_000_000],
  "intel-rapl:0:2": ["dram", 2_000_000],
  "intel-rapl:1": ["package-1", 7_000_000],
  "intel-rapl:1:0": ["dram", 0],
  "intel-rapl:2": ["psys", 9_000_000],
  "intel-rapl-mmio:0": ["package-0", 5_000_000],
} as const;

describe("openEnergyMeter", () => {
  it("sums packages and their memory since it was opened, and nothing twice", () => {
    const { root, set } = fakeCounters("two", twoPackages);
    const meter = openEnergyMeter({ root })!;
    expect(meter.source).toBe("powercap");
    expect(meter.read()).toBe(0);
    Object.keys(twoPackages).forEach((zone, i) => {
      set(zone, twoPackages[zone as keyof typeof twoPackages][1] + 10 ** i);
    });
    // Package 0, its dram, package 1, its dram: 1 + 1000 + 10000 + 100000 microjoules.
    expect(meter.read()).toBeCloseTo(0.111001, 12);
    expect(meter.read()).toBeCloseTo(0.111001, 12);
  });

  it("goes on where a counter starts over", () => {
    const { root, set } = fakeCounters("wrap", { "intel-rapl:0": ["package-0", 999_000_000] });
    const meter = openEnergyMeter({ root })!;
    set("intel-rapl:0", 1_500_000);
    expect(meter.read()).toBeCloseTo(2.5, 9);
    set("intel-rapl:0", 2_500_000);
    expect(meter.read()).toBeCloseTo(3.5, 9);
  });

  it("is absent where there are no counters, no package, or one that may not be read", () => {
    expect(openEnergyMeter({ root: join(folder, "nowhere") })).toBeUndefined();
    const psys = fakeCounters("psys", { "intel-rapl:0": ["psys", 1] });
    expect(openEnergyMeter({ root: psys.root })).toBeUndefined();
    const { root } = fakeCounters("refused", twoPackages);
    rmSync(join(root, "intel-rapl:1", "energy_uj"));
    mkdirSync(join(root, "intel-rapl:1", "energy_uj"));
    expect(openEnergyMeter({ root })).toBeUndefined();
  });

  it("says where a counter fails on the way", () => {
    const { root, set } = fakeCounters("failing", { "intel-rapl:0": ["package-0", 1_000_000] });
    const meter = openEnergyMeter({ root })!;
    writeFileSync(join(root, "intel-rapl:0", "energy_uj"), "no data\n");
    expect(meter.read()).toBeUndefined();
    set("intel-rapl:0", 4_000_000);
    expect(meter.read()).toBeUndefined();
  });
});

describe("estimateEnergy", () => {
  const { dram, cache } = picojoulesPerByte;

  it("is what the counts of a small network cost", () => {
    const net = new Net(["N", 3, 6, 6]);
    const conv = net.relu(net.conv("conv", "x", 4, 3));
    const graph = net.done(net.dense("out", net.op("Flatten", [conv]), 5));
    const estimate = estimateEnergy(graph)!;
    const macs = 36 * 4 * 27 + 144 * 5;
    // Relu is done in Conv's place, Flatten moves nothing: its 144 floats are written once and read once.
    const [image, map, scores, weights] = [4 * 108, 4 * 144, 4 * 5, 4 * (4 * 27 + 4 + 144 * 5 + 5)];
    expect(estimate).toEqual({
      macs: { float32: macs, float16: 0, int8: 0 },
      dramBytes: image + weights,
      cacheBytes: 2 * map + scores,
      joules: expect.closeTo(
        1e-12 * (macs * picojoulesPerMac.float32 + (image + weights) * dram + (2 * map + scores) * cache),
        18,
      ),
    });
  });

  it("reads weights once a run, whatever the batch", () => {
    const net = new Net(["N", 3, 6, 6]);
    const graph = net.done(net.conv("conv", "x", 4, 3));
    const [one, eight] = [estimateEnergy(graph)!, estimateEnergy(graph, { batch: 8 })!];
    const weights = analyzeCost(graph).weightBytes;
    expect(eight.macs.float32).toBe(8 * one.macs.float32);
    expect(eight.dramBytes - weights).toBe(8 * (one.dramBytes - weights));
  });

  it("moves what is larger than the cache through DRAM, and reads a branch at both of its readers", () => {
    const sized = (side: number) => {
      const net = new Net([1, 1, side, side]);
      const wide = net.conv("wide", "x", 4);
      return estimateEnergy(net.done(net.g.add(net.conv("left", wide, 4), wide)))!;
    };
    const map = (side: number) => 16 * side * side;
    // Written, read twice; the other branch written and read; the sum written.
    expect(sized(8).cacheBytes).toBe(6 * map(8));
    expect(sized(512).cacheBytes).toBe(0);
    expect(sized(512).dramBytes).toBeGreaterThan(6 * map(512));
  });

  it("prices a layer by the widest of what it multiplies", () => {
    const layer = (quantized: "both" | "weight") => {
      const net = new Net([1, 2, 4, 4]);
      const scale = net.g.initializer("scale", tensorOf("float32", [], [0.1]));
      const zero = net.g.initializer("zero", tensor("uint8", []));
      const w = net.g.initializer("w", tensor("int8", [3, 2, 1, 1]));
      const values = net.op("DequantizeLinear", [net.op("QuantizeLinear", ["x", scale, zero]), scale, zero]);
      const kernel = net.op("DequantizeLinear", [w, scale]);
      return estimateEnergy(net.done(net.op("Conv", [quantized === "both" ? values : "x", kernel])))!;
    };
    expect(layer("both").macs).toEqual({ float32: 0, float16: 0, int8: 96 });
    expect(layer("weight").macs).toEqual({ float32: 96, float16: 0, int8: 0 });
    // The image is read and its bytes written; they are read where they are multiplied.
    expect(layer("both").cacheBytes).toBe(32 + 32 + 4 * 48);
  });

  it.each(["residual", "fire", "depthwise"])("finds a network in 8 bits far below itself: %s", async (name) => {
    const before = simplify(fixtures[name]!()).graph;
    const method = findMethod("quantize-int8");
    const { graph } = await method.apply(before, method.params.parse({}), fixtureContext());
    const [full, pared] = [estimateEnergy(before)!, estimateEnergy(graph)!];
    const total = full.macs.float32;
    expect(pared.macs.int8 + pared.macs.float32).toBe(total);
    expect(pared.macs.int8).toBeGreaterThan(0.9 * total);
    expect(pared.cacheBytes).toBeLessThan(0.5 * full.cacheBytes);
    expect(pared.joules).toBeLessThan(0.5 * full.joules);
  });

  it("counts a training step on its own graph: forward, backward and update", () => {
    const net = new Net(["N", 1, 8, 8]);
    const hidden = net.relu(net.conv("one", "x", 4, 3));
    const graph = net.done(net.dense("out", net.op("Flatten", [net.relu(net.conv("two", hidden, 4, 3))]), 3));
    const batch = 4;
    const step = buildTrainingStep(graph, {
      batch,
      classes: 3,
      imageShape: [1, 8, 8],
      optimizer: { optimizer: "sgd", momentum: 0.9, nesterov: false, weightDecay: 0 },
      objective: { terms: [] },
    });
    const { macs } = estimateEnergy(step.graph)!;
    const [first, rest] = [64 * 4 * 9, 64 * 4 * 36 + 256 * 3];
    // Every layer forward and its weight's gradient; the data's gradient for all but the first.
    expect(macs.float32).toBe(batch * (2 * first + 3 * rest));
  });

  it("is undefined where not all can be counted", () => {
    const net = new Net([1, 2]);
    const graph = net.done(net.relu("x"));
    const nodes = graph.nodes.map((node) => ({ ...node, op: "Frobnicate" }));
    expect(estimateEnergy({ ...graph, nodes })).toBeUndefined();
  });

  it.skipIf(!haveSharedModels)(`counts all of a published ResNet's MACs ${needsShared}`, async () => {
    const graph = await sharedModel("cifar10_resnet32");
    const { macs, joules } = estimateEnergy(graph)!;
    expect(macs.float32).toBe(analyzeCost(graph).macs);
    // About 70 M MACs alone are 0.32 mJ.
    expect(joules).toBeGreaterThan(0.32e-3);
    expect(joules).toBeLessThan(5e-3);
  });
});

describe("measureEnergy", () => {
  const models = [
    { name: "a", model: pixelNet() },
    { name: "b", model: pixelNet() },
  ];

  it("estimates where there are no counters, and says so", async () => {
    const [a, b] = await measureEnergy(models, { meter: null, batch: 2 });
    expect(a).toEqual({
      source: "estimate",
      joulesPerImage: estimateEnergy(pixelNet(), { batch: 2 })!.joules / 2,
    });
    expect(b).toEqual(a);
  });

  it("gives each model the joules of its own stretches over its images", async () => {
    const joules = [0, 3, 10, 14, 20, 22, 30, 33, 40, 43, 50, 52];
    let reads = 0;
    const meter = { source: "powercap" as const, read: () => joules[reads++] };
    const [a, b] = await measureEnergy(models, { meter, stretchMs: 0 });
    expect(reads).toBe(12);
    // Stretches of one image: a gets 3, 2, 3 joules, b gets 4, 3, 2.
    expect(a).toEqual({ source: "powercap", joulesPerImage: expect.closeTo(8 / 3, 9) });
    expect(b).toEqual({ source: "powercap", joulesPerImage: 3 });
  });

  it("estimates all models alike where a counter fails or stands still", async () => {
    for (const value of [undefined, 5]) {
      const meter = { source: "powercap" as const, read: () => value };
      const results = await measureEnergy(models, { meter, stretchMs: 0 });
      expect(results.map((energy) => energy?.source)).toEqual(["estimate", "estimate"]);
    }
  });

  it("refuses a batch that a model does not take", async () => {
    const fixed = [{ name: "fixed", model: pixelNet(2) }];
    await expect(measureEnergy(fixed, { meter: null, batch: 4 })).rejects.toThrow("fixed: its batch is fixed to 2");
  });

  it("leaves out what cannot be counted", async () => {
    const graph = pixelNet();
    const nodes = graph.nodes.map((node) => ({ ...node, op: "Frobnicate", attributes: { axis: int(1) } }));
    expect(await measureEnergy([{ name: "odd", model: { ...graph, nodes } }], { meter: null })).toEqual([null]);
  });
});

describe("the energy of a training", () => {
  const random = createRandom(4);
  const images = Uint8Array.from({ length: 32 * 64 }, () => random.below(256));
  const data = {
    train: { images, labels: Uint16Array.from({ length: 32 }, (_, i) => i % 2), length: 32 },
    classes: 2,
    storedShape: [1, 8, 8] as const,
    preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.25], channels: "grey" as const },
  };
  const options = trainingSchema.parse({ epochs: 2, batch: 8, lr: 0.01, threads: 1, seed: 5 });
  const network = () => {
    const net = new Net(["N", 1, 8, 8]);
    return net.done(net.dense("out", net.op("Flatten", [net.relu(net.conv("one", "x", 2, 3))]), 2));
  };

  it("is a step's estimate times the steps where there are no counters", async () => {
    const powercap = join(folder, "nowhere");
    const { energy, steps } = await trainModel(network(), data, { options, powercap, inline: true });
    expect(steps).toBe(8);
    expect(energy).toMatchObject({ source: "estimate" });
    expect(energy!.joulesPerStep).toBeGreaterThan(8 * 3 * 64 * 18 * picojoulesPerMac.float32 * 1e-12);
    expect(energy!.joules).toBeCloseTo(8 * energy!.joulesPerStep, 15);
    expect(energy!.joulesPerImage).toBeCloseTo(energy!.joulesPerStep / 8, 15);
  });

  it("is what the counters grew by, over a training that was stopped and resumed", async () => {
    const { root, set } = fakeCounters("training", { "intel-rapl:0": ["package-0", 1_000_000] });
    const checkpoint = { file: join(folder, "checkpoint"), resume: true };
    const controller = new AbortController();
    const request = { options, powercap: root, inline: true, checkpoint };
    const stopped = await trainModel(network(), data, {
      ...request,
      signal: controller.signal,
      onProgress: () => {
        set("intel-rapl:0", 3_000_000);
        controller.abort();
      },
    });
    expect([stopped.stopped, stopped.energy?.joules]).toEqual([true, 2]);
    set("intel-rapl:0", 100_000_000);
    const resumed = await trainModel(network(), data, {
      ...request,
      onProgress: () => set("intel-rapl:0", 102_000_000),
    });
    expect(resumed.energy).toEqual({ source: "powercap", joules: 4, joulesPerStep: 4 / 8, joulesPerImage: 4 / 64 });
  });
});

it("describeEnergyConstants names every constant", () => {
  const text = describeEnergyConstants();
  for (const value of [...Object.values(picojoulesPerMac), ...Object.values(picojoulesPerByte)])
    expect(text).toContain(`${value} pJ`);
});
