import { beforeAll, describe, expect, it } from "vitest";
import { estimateEnergy, openEnergyMeter } from "../../src/engine/energy.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { netpareJson, runNetpare, temporaryFolder } from "./run-netpare.ts";

const at = temporaryFolder();
const net = (width: number) => findArchitecture("faces-net").build({ width }, createRandom(1));
beforeAll(async () => {
  await writeModel(at("wide.onnx"), net(8));
  await writeModel(at("narrow.onnx"), net(4));
});

const hasCounters = openEnergyMeter() !== undefined;
const source = hasCounters ? "powercap" : "estimate";

describe("energy", () => {
  it("bench tells it of each model and batch", async () => {
    const flags = ["--batch", "1,4", "--runs", "3"];
    const { results } = await netpareJson("bench", at("wide.onnx"), at("narrow.onnx"), ...flags);
    expect(results.map(({ energy }: { energy: { source: string } }) => energy.source)).toEqual(Array(4).fill(source));
    if (hasCounters) return;
    for (const [i, [width, batch]] of [[8, 1] as const, [8, 4] as const, [4, 1] as const, [4, 4] as const].entries())
      expect(results[i].energy.joulesPerImage).toBe(estimateEnergy(net(width), { batch })!.joules / batch);
  });

  it("bench says beside its table whether it is an estimate", async () => {
    const { stdout } = await runNetpare("bench", at("narrow.onnx"), "--batch", "1", "--runs", "3");
    expect(stdout).toMatch(hasCounters ? /energy\/image\n/ : /energy\/image \(estimate\)\n/);
    expect(stdout).toContain(hasCounters ? "powercap" : "Energy is an estimate from counted operations");
  });

  it("train tells it of a step and an image, and says whether it is an estimate", async () => {
    const task = ["train", "faces-net", "--data", "faces:train=64,test=16", "--width", "4", "--epochs", "1"];
    const flags = ["--batch", "32", "--threads", "1", "--out", at("trained.onnx")];
    const { training } = await netpareJson(...task, ...flags);
    const { joules, joulesPerStep, joulesPerImage } = training.energy;
    expect(training.energy.source).toBe(source);
    expect(joulesPerStep).toBeGreaterThan(0);
    expect(joules).toBeCloseTo(training.steps * joulesPerStep, 12);
    expect(joulesPerImage).toBeCloseTo(joulesPerStep / 32, 12);
    const { stdout } = await runNetpare(...task, ...flags);
    expect(stdout).toMatch(hasCounters ? /^energy .* \(by the machine's counters\)$/m : /^energy .* \(estimate\)$/m);
  });
});
