import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Split } from "../../src/data/index.ts";
import { readCheckpoint } from "../../src/engine/checkpoint.ts";
import { evaluateModel } from "../../src/engine/evaluate.ts";
import { averageDecay, endsCycle, endsEpoch, epochsOf, learningRate, paceOf } from "../../src/engine/schedule.ts";
import { type Trained, type TrainingData, trainModel } from "../../src/engine/train.ts";
import type { TrainingProgress } from "../../src/engine/train-loop.ts";
import { type TrainingOptions, trainingSchema } from "../../src/engine/training-options.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { findArchitecture } from "../../src/zoo/index.ts";

const folder = mkdtempSync(path.join(tmpdir(), "netpare-train-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Images whose brightest quadrant is their class: 4 classes, 8x8, one channel. */
function quadrants(length: number, seed: number): Split {
  const random = createRandom(seed);
  const images = new Uint8Array(length * 64);
  const labels = new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    const label = random.below(4);
    labels[i] = label;
    for (let k = 0; k < 64; k++) {
      const quadrant = (k >= 32 ? 2 : 0) + (k % 8 >= 4 ? 1 : 0);
      images[i * 64 + k] = random.below(120) + (quadrant === label ? 120 : 0);
    }
  }
  return { images, labels, length };
}

const data: TrainingData = {
  train: quadrants(256, 1),
  validation: quadrants(64, 2),
  classes: 4,
  storedShape: [1, 8, 8],
  preprocessing: { scale: 1 / 255, mean: [0.4], std: [0.25], channels: "grey" },
};
const net = () => findArchitecture("faces-net").build({ classes: 4, channels: 1, size: 8, width: 4 }, createRandom(3));
const options = (given: object = {}) =>
  trainingSchema.parse({ epochs: 3, batch: 16, lr: 0.05, threads: 1, seed: 5, augmentation: { crop: 1 }, ...given });
const bytes = (graph: Graph) => Buffer.from(encodeModel(graph));

/** Trains until epoch `epoch`, stops, and goes on from the checkpoint. */
async function stopAndResume(given: TrainingOptions, epoch: number, name: string): Promise<Trained> {
  const checkpoint = { file: path.join(folder, name), resume: true };
  const controller = new AbortController();
  const onProgress = (progress: TrainingProgress) => progress.epoch >= epoch && controller.abort();
  const request = { options: given, inline: true, checkpoint };
  const stopped = await trainModel(net(), data, { ...request, signal: controller.signal, onProgress });
  expect(stopped.stopped).toBe(true);
  const resumed = await trainModel(net(), data, request);
  expect(resumed.stopped).toBe(false);
  return resumed;
}

describe("training", () => {
  it("learns, and validates after each epoch", async () => {
    const { curve, graph } = await trainModel(net(), data, { options: options({ epochs: 6 }), inline: true });
    expect(curve).toHaveLength(6);
    expect(curve[5]!.validationAccuracy).toBeGreaterThan(0.9);
    expect(curve[5]!.loss).toBeLessThan(curve[0]!.loss);
    expect(graph.initializers.size).toBe(net().initializers.size);
  });

  it("gives the same bytes for the same seed, others for another", async () => {
    const run = async (seed: number) =>
      bytes((await trainModel(net(), data, { options: options({ seed, epochs: 1 }), inline: true })).graph);
    const [first, again, other] = [await run(5), await run(5), await run(6)];
    expect(again.equals(first)).toBe(true);
    expect(other.equals(first)).toBe(false);
  });

  it("resumes from a checkpoint to the bytes of a run that was never stopped", async () => {
    const whole = await trainModel(net(), data, { options: options(), inline: true });
    const resumed = await stopAndResume(options(), 1, "stopped");
    expect(bytes(resumed.graph).equals(bytes(whole.graph))).toBe(true);
    expect(resumed.curve.map(({ loss }) => loss)).toEqual(whole.curve.map(({ loss }) => loss));
  });

  it("keeps the network at the end of each cycle, through a stop as well", async () => {
    const cyclic = options({ epochs: 6, schedule: "cyclic", cycles: 3, snapshots: true });
    const whole = await trainModel(net(), data, { options: cyclic, inline: true });
    expect(whole.snapshots).toHaveLength(3);
    expect(bytes(whole.snapshots[2]!).equals(bytes(whole.graph))).toBe(true);
    const firstCycle = options({ epochs: 2, schedule: "cyclic", cycles: 1 });
    const alone = await trainModel(net(), data, { options: firstCycle, inline: true });
    expect(bytes(whole.snapshots[0]!).equals(bytes(alone.graph))).toBe(true);
    const resumed = await stopAndResume(cyclic, 3, "cyclic");
    expect(resumed.snapshots.map((graph) => bytes(graph).equals(bytes(whole.snapshots[0]!)))).toEqual([
      true,
      false,
      false,
    ]);
    expect(bytes(resumed.snapshots[1]!).equals(bytes(whole.snapshots[1]!))).toBe(true);
  });

  it("gives the average of the weights where asked, through a stop as well", async () => {
    const averaging = options({ ema: 0.99, lr: 0.01 });
    const whole = await trainModel(net(), data, { options: averaging, inline: true });
    const plain = await trainModel(net(), data, { options: options({ lr: 0.01 }), inline: true });
    expect(whole.curve.map(({ loss }) => loss)).toEqual(plain.curve.map(({ loss }) => loss));
    expect(whole.curve.map((point) => point.validationAccuracy)).not.toEqual(
      plain.curve.map((point) => point.validationAccuracy),
    );
    expect(bytes(whole.graph).equals(bytes(plain.graph))).toBe(false);
    const resumed = await stopAndResume(averaging, 1, "average");
    expect(bytes(resumed.graph).equals(bytes(whole.graph))).toBe(true);
  });

  it("mixes images and labels where asked, through a stop as well", async () => {
    const mixed = options({ mixup: 0.5, augmentation: { crop: 1, cutout: 2 } });
    const whole = await trainModel(net(), data, { options: mixed, inline: true });
    const plain = await trainModel(net(), data, { options: { ...mixed, mixup: 0 }, inline: true });
    expect(whole.curve[2]!.loss).toBeGreaterThan(1.5 * plain.curve[2]!.loss);
    const resumed = await stopAndResume(mixed, 1, "mixed");
    expect(bytes(resumed.graph).equals(bytes(whole.graph))).toBe(true);
  });

  it("refuses snapshots of a schedule without cycles", async () => {
    const request = { options: options({ snapshots: true }), inline: true };
    await expect(trainModel(net(), data, request)).rejects.toThrowError(/choose the schedule cyclic/);
  });

  it("refuses a checkpoint of another training, or a damaged one", async () => {
    const checkpoint = { file: path.join(folder, "other"), resume: true };
    await trainModel(net(), data, { options: options({ epochs: 1 }), inline: true, checkpoint });
    await expect(
      trainModel(net(), data, { options: options({ epochs: 2 }), inline: true, checkpoint }),
    ).rejects.toThrowError(/belongs to a training with other options/);
    const damaged = path.join(folder, "damaged");
    writeFileSync(damaged, Buffer.alloc(100, 7));
    expect(() => readCheckpoint(damaged, "")).toThrowError(/damaged/);
  });

  it("removes what a kill in the midst of a checkpoint left, and nothing else", async () => {
    const at = (name: string) => path.join(folder, name);
    for (const name of ["torn.7-1.part", "torn.part.onnx", "whole.7-1.part"]) writeFileSync(at(name), "torn");
    const checkpoint = { file: at("torn"), resume: false };
    await trainModel(net(), data, { options: options({ epochs: 1 }), inline: true, checkpoint });
    const left = ["torn", "torn.7-1.part", "torn.part.onnx", "whole.7-1.part"].filter((name) => existsSync(at(name)));
    expect(left).toEqual(["torn", "torn.part.onnx", "whole.7-1.part"]);
  });

  it("selects the best epoch on the validation images, through a stop as well", async () => {
    // A rate that grows the loss again after an early best.
    const best = options({ select: "best", epochs: 5, schedule: "constant", lr: 0.6, optimizer: "sgd", batch: 8 });
    const whole = await trainModel(net(), data, { options: best, inline: true });
    const accuracies = whole.curve.map((point) => point.validationAccuracy!);
    const most = Math.max(...accuracies);
    expect(accuracies.at(-1)).toBeLessThan(most);
    expect(whole.best).toEqual({ epoch: accuracies.indexOf(most) + 1, validationAccuracy: most });
    const { train, validation } = data;
    const judged = await evaluateModel(whole.graph, validation!, { ...data, threads: 1 });
    expect(judged.top1).toBe(most);
    const resumed = await stopAndResume(best, 3, "best");
    expect(bytes(resumed.graph).equals(bytes(whole.graph))).toBe(true);
    await expect(
      trainModel(net(), { ...data, train, validation: undefined }, { options: best, inline: true }),
    ).rejects.toThrowError(/give --validation/);
  });

  it("takes batches of what there is where the split is smaller than one, and says so", async () => {
    const few = { ...data, train: quadrants(20, 4) };
    const notes: string[] = [];
    const request = {
      options: options({ batch: 512, epochs: 3 }),
      inline: true,
      onNote: (note: string) => notes.push(note),
    };
    const { steps, curve } = await trainModel(net(), few, request);
    expect([steps, curve.length]).toEqual([3, 3]);
    expect(notes).toEqual(["the training split has 20 images: a batch holds these instead of 512"]);
    await expect(trainModel(net(), { ...data, train: quadrants(0, 1) }, request)).rejects.toThrowError(
      /holds no image/,
    );
  });

  it("ends epochs where batches do not fill them, and counts them whole", async () => {
    const { steps, epochs, curve } = await trainModel(net(), data, { options: options({ batch: 60 }), inline: true });
    expect([steps, epochs]).toEqual([13, 3]);
    expect(curve.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  });

  it("leaves the calling thread free: its timers tick during a training in the worker, not during one inline", async () => {
    const ticksDuring = async (inline: boolean) => {
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      await trainModel(net(), data, { options: options({ epochs: 4 }), inline });
      clearInterval(timer);
      return ticks;
    };
    const [inline, worker] = [await ticksDuring(true), await ticksDuring(false)];
    expect(worker).toBeGreaterThan(inline);
  });
});

describe("pace", () => {
  it("ends an epoch at the nearest step, and the last with the training", () => {
    const pace = paceOf({ epochs: 4, batch: 64 }, 100);
    expect(pace).toEqual({ steps: 6, stepsPerEpoch: 100 / 64 });
    const ends = [0, 1, 2, 3, 4, 5, 6].filter((done) => endsEpoch(pace, done));
    expect(ends).toEqual([2, 3, 5, 6]);
    expect(ends.map((done) => epochsOf(pace, done))).toEqual([1, 2, 3, 4]);
    expect(epochsOf(pace, 1)).toBe(0.64);
    const half = paceOf({ epochs: 1.5, batch: 25 }, 100);
    expect([half.steps, epochsOf(half, 6), endsEpoch(half, 6)]).toEqual([6, 1.5, true]);
  });
});

describe("learning rate", () => {
  it("rises over the warm-up and falls along a cosine to nearly 0", () => {
    const cosine = options({ lr: 1, warmup: 1, epochs: 3 });
    const rates = Array.from({ length: 30 }, (_, step) => learningRate(cosine, step, { steps: 30, stepsPerEpoch: 10 }));
    expect(rates[0]).toBeCloseTo(1 / 11);
    expect(rates[10]).toBe(1);
    expect(rates[20]).toBeCloseTo(0.5);
    expect(rates[29]).toBeLessThan(0.01);
  });

  it("starts anew with each cycle, and tells where cycles end", () => {
    const cyclic = options({ lr: 1, schedule: "cyclic", cycles: 3, warmup: 1 });
    const pace = { steps: 25, stepsPerEpoch: 2 };
    const rates = Array.from({ length: 25 }, (_, step) => learningRate(cyclic, step, pace));
    // Two steps of warm-up, then cycles of ⌈23/3⌉ = 8 steps.
    expect([rates[2], rates[10], rates[18]]).toEqual([1, 1, 1]);
    expect(rates[6]).toBeCloseTo(0.5);
    expect(rates[9]).toBeCloseTo((1 + Math.cos((7 / 8) * Math.PI)) / 2);
    const ends = Array.from({ length: 26 }, (_, done) => done).filter((done) => endsCycle(cyclic, done, pace));
    expect(ends).toEqual([10, 18, 25]);
  });

  it("forgets early weights: the average's decay rises from 1/10 to what is asked", () => {
    const decays = [0, 10, 1e6].map((step) => averageDecay(options({ ema: 0.99 }), step));
    expect(decays).toEqual([0.1, 11 / 20, 0.99]);
  });

  it("falls to a tenth after half of the steps and again after three quarters", () => {
    const stepwise = options({ lr: 1, schedule: "step" });
    expect(
      [0, 49, 50, 74, 75, 99].map((step) => learningRate(stepwise, step, { steps: 100, stepsPerEpoch: 10 })),
    ).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01]);
  });
});
