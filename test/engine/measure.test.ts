import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeMachine, measureLatency, measurePeakMemory, quantile } from "../../src/engine/measure.ts";
import { encodeModel, writeModel } from "../../src/onnx/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import { pixelNet } from "./tiny-nets.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "netpare-measure-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("measureLatency", () => {
  it("gives a result for each model and batch, models in their order, from graph, bytes and file", async () => {
    const file = join(folder, "pixels.onnx");
    await writeModel(file, pixelNet());
    const models = [
      { name: "graph", model: pixelNet() },
      { name: "bytes", model: encodeModel(pixelNet()) },
      { name: "file", model: file },
    ];
    const calls: number[] = [];
    const onProgress = (done: number, total: number) => calls.push(done / total);
    const results = await measureLatency(models, { batches: [1, 4], runs: 7, onProgress });
    expect(results.map(({ model, batch, runs }) => [model, batch, runs])).toEqual([
      ["graph", 1, 7],
      ["graph", 4, 7],
      ["bytes", 1, 7],
      ["bytes", 4, 7],
      ["file", 1, 7],
      ["file", 4, 7],
    ]);
    for (const { median, p10, p90 } of results) {
      expect(p10).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(p10);
      expect(p90).toBeGreaterThanOrEqual(median);
    }
    expect(calls.at(-1)).toBe(1);
  });

  it("says where a model fixes its batch or leaves more than the batch open", async () => {
    const measure = (model: ReturnType<typeof pixelNet>) =>
      measureLatency([{ name: "m", model }], { batches: [4], runs: 3 });
    await expect(measure(pixelNet(2))).rejects.toThrow("m: its batch is fixed to 2; measure it with --batch 2");
    const g = new TypedBuilder("open");
    g.output(g.op("Relu", [g.input("x", "float32", ["N", 1, "H", 3])]));
    await expect(measure(g.build())).rejects.toThrow("only its batch may be open");
  });
});

describe("quantile", () => {
  it("interpolates between neighbours", () => {
    expect([0, 0.1, 0.5, 0.9, 1].map((q) => quantile([1, 2, 3, 4], q))).toEqual([1, 1.3, 2.5, 3.7, 4]);
    expect(quantile([5], 0.9)).toBe(5);
  });
});

describe("measurePeakMemory", () => {
  it("sees a model's activations, in a process of its own", async () => {
    const grown = async (side: number) => {
      const g = new TypedBuilder("memory");
      const x = g.input("x", "float32", ["N", 1, 1, side]);
      const column = g.initializer("column", tensor("float32", [side, 1]));
      g.output(g.op("ReduceMax", [g.op("Exp", [g.mul(x, column)])]));
      const file = join(folder, `memory-${side}.onnx`);
      await writeModel(file, g.build());
      return measurePeakMemory(file);
    };
    const small = await grown(16);
    const large = await grown(5000);
    expect(small).toBeGreaterThan(20e6);
    // One map of 5000 x 5000 floats is 100 MB.
    expect(large - small).toBeGreaterThan(90e6);
  });

  it("is not raised by the memory of the process that asks", async () => {
    const file = join(folder, "light.onnx");
    const g = new TypedBuilder("light");
    g.output(g.op("Relu", [g.input("x", "float32", ["N", 4])]));
    await writeModel(file, g.build());
    const held = Buffer.alloc(500e6, 1);
    expect(await measurePeakMemory(file)).toBeLessThan(300e6);
    expect(held[held.length - 1]).toBe(1);
  });

  it("names the file where it cannot be run", async () => {
    await expect(measurePeakMemory(join(folder, "none.onnx"))).rejects.toThrow("none.onnx");
  });
});

it("describeMachine names processor, cores, memory and versions", () => {
  const { cores, memoryBytes, node, onnxruntime, cpu } = describeMachine();
  expect(cores).toBeGreaterThan(0);
  expect(memoryBytes).toBeGreaterThan(1e8);
  expect([node, onnxruntime].every((version) => /^\d+\.\d+/.test(version))).toBe(true);
  expect(cpu.length).toBeGreaterThan(0);
});
