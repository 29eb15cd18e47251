import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { estimateEnergy } from "../../src/engine/energy.ts";
import { decodeModel } from "../../src/onnx/index.ts";
import { Interrupted, silentReporter } from "../../src/pipeline/progress.ts";
import { checkRecipe } from "../../src/pipeline/recipe.ts";
import { optimizeModel, runRecipe } from "../../src/pipeline/run.ts";
import { searchSchema } from "../../src/pipeline/search.ts";
import { verifyRun } from "../../src/pipeline/verify.ts";
import { readReport } from "../../src/report/read.ts";
import { reportSchema } from "../../src/report/schema.ts";
import { builtPage } from "../report/built-page.ts";

const folder = mkdtempSync(path.join(tmpdir(), "netpare-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...parts: string[]) => path.join(folder, ...parts);

const plan = {
  model: { architecture: "faces-net", params: { width: 4 }, train: { epochs: 2, batch: 16, threads: 1 } },
  data: "faces:train=240,test=80",
  stages: [
    { method: "prune-blocks", params: { blocks: 1, samples: 64 }, train: { epochs: 1, batch: 16, threads: 1 } },
    { method: "quantize-int8", params: { samples: 64 } },
  ],
  measure: { batches: [1], runs: 5 },
};
const recipe = checkRecipe(plan, "the test's plan");
const models = ["stages/0-original", "stages/1-prune-blocks", "stages/2-quantize-int8"];
const readGraph = (file: string) => decodeModel(readFileSync(at("whole", file)));
const modelBytes = (run: string) =>
  models.map((stage) => readFileSync(at(run, stage, "model.onnx")).toString("base64"));

describe("a run", () => {
  beforeAll(async () => {
    await builtPage();
    await runRecipe(recipe, { directory: at("whole"), resume: false, reporter: silentReporter });
  });

  it("leaves recipe, log, every stage's model in both forms, report and page, and nothing else", () => {
    expect(readdirSync(at("whole")).sort()).toEqual([
      "log.txt",
      "recipe.yaml",
      "report.html",
      "report.json",
      "run.json",
      "stages",
    ]);
    for (const stage of models)
      expect(readdirSync(at("whole", stage)).sort()).toEqual(["graph.onnx", "model.onnx", "model.pare", "record.json"]);
  });

  it("reports an ensemble with each of its members, and verify measures those, too", async () => {
    const train = { ...plan.model.train, schedule: "cyclic", cycles: 2, snapshots: true };
    const joint = checkRecipe({ ...plan, model: { ...plan.model, train }, stages: [] }, "the test's plan");
    await runRecipe(joint, { directory: at("joint"), resume: false, reporter: silentReporter });
    const report = await readReport(at("joint"));
    const { members, disagreement } = report.stages[0]!.ensemble!;
    expect(members.map(({ file }) => file)).toEqual([1, 2].map((i) => `stages/0-original/member-${i}.onnx`));
    expect(members[0]!.accuracy.samples).toBe(80);
    expect(disagreement[0]![0]).toBe(0);
    const { checks } = await verifyRun(at("joint"), silentReporter);
    const claims = checks.filter(({ claim }) => claim.includes("member-"));
    expect(claims.map(({ holds }) => holds)).toEqual([true, true]);
  });

  it("reports what it did and measured", async () => {
    const report = reportSchema.parse(await readReport(at("whole")));
    expect(report.stages.map(({ method }) => method)).toEqual([null, "prune-blocks", "quantize-int8"]);
    const [original, pruned, quantized] = report.stages;
    expect(original!.training!.curve).toHaveLength(2);
    expect(original!.agreement).toBe(1);
    expect(pruned!.macs).toBeLessThan(original!.macs);
    expect(quantized!.macs).toBe(pruned!.macs);
    expect(quantized!.fileBytes).toBeLessThan(pruned!.fileBytes);
    expect(original!.fileBytes).toBe(readFileSync(at("whole", original!.file)).length);
    expect(quantized!.energy!.joulesPerImage).toBeLessThan(original!.energy!.joulesPerImage);
    expect(original!.training!.energy).toMatchObject({ source: original!.energy!.source });
    expect(report.data).toMatchObject({ testSamples: 80, trainSamples: 216, validationSamples: 24 });
  });

  it("is not overwritten unless it is to be resumed, and only with the same settings", async () => {
    const request = { directory: at("whole"), reporter: silentReporter };
    await expect(runRecipe(recipe, { ...request, resume: false })).rejects.toThrowError(/already holds a run/);
    await expect(runRecipe({ ...recipe, seed: 2 }, { ...request, resume: true })).rejects.toThrowError(
      /other settings/,
    );
  });

  it("stops between steps when asked and resumes to the same models", async () => {
    const controller = new AbortController();
    const reporter = {
      ...silentReporter,
      progress: (done: number, _: number, what: string) => what === "training" && done > 5 && controller.abort(),
    };
    const request = { directory: at("stopped"), reporter };
    await expect(runRecipe(recipe, { ...request, resume: false, signal: controller.signal })).rejects.toThrowError(
      Interrupted,
    );
    await runRecipe(recipe, { directory: at("stopped"), resume: true, reporter: silentReporter });
    expect(modelBytes("stopped")).toEqual(modelBytes("whole"));
  });

  it("survives kill -9 and resumes to the same models", async () => {
    writeFileSync(at("plan.json"), JSON.stringify(plan));
    const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
    const args = [cli, "run", at("plan.json"), "--out", at("killed")];
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    while (!existsSync(at("killed", "stages/1-prune-blocks")) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    expect(existsSync(at("killed", "report.json"))).toBe(false);
    const resumed = spawnSync(process.execPath, [...args, "--resume"], { encoding: "utf8" });
    expect(resumed.stderr).not.toMatch(/ {4}at /);
    expect(resumed.status).toBe(0);
    expect(modelBytes("killed")).toEqual(modelBytes("whole"));
  });

  it("is verified by measuring again", async () => {
    const { checks, holds } = await verifyRun(at("whole"), silentReporter);
    // Latency of so small a net jumps about; every other claim must hold.
    const broken = checks.filter((check) => !check.holds && !check.claim.startsWith("speed-up"));
    expect(broken).toEqual([]);
    expect(checks.filter(({ claim }) => claim.startsWith("energy per image"))).toHaveLength(3);
    expect(holds).toBe(checks.every((check) => check.holds));
  });

  it.each([
    ["accuracy", (text: string) => text.replace(/"top1": [\d.]+/, '"top1": 0.999')],
    ["bytes", (text: string) => text.replace(/"fileBytes": \d+/, '"fileBytes": 12')],
    [
      "a loss on a training curve",
      (text: string) => text.replace(/"loss": [\d.]+,\n\s+"accuracy"/, '"loss": 0.5,\n"accuracy"'),
    ],
    ["a latency", (text: string) => text.replace(/"median": [\d.]+/, '"median": 0.0001')],
    ["the machine", (text: string) => text.replace(/"cores": \d+/, '"cores": 64')],
  ])("is found false after %s is changed", async (_, change) => {
    const tampered = at(`tampered-${Math.abs(change.toString().length)}`);
    cpSync(at("whole"), tampered, { recursive: true });
    const text = readFileSync(path.join(tampered, "report.json"), "utf8");
    expect(change(text)).not.toBe(text);
    writeFileSync(path.join(tampered, "report.json"), change(text));
    expect((await verifyRun(tampered, silentReporter)).holds).toBe(false);
  });

  it("counts an estimate of energy again", async () => {
    const report = await readReport(at("whole"));
    cpSync(at("whole"), at("frugal"), { recursive: true });
    const stages = report.stages.map((stage) => ({
      ...stage,
      energy: { source: "estimate", joulesPerImage: estimateEnergy(readGraph(stage.file))!.joules },
    }));
    const write = () => writeFileSync(at("frugal", "report.json"), JSON.stringify({ ...report, stages }));
    const energyChecks = async () =>
      (await verifyRun(at("frugal"), silentReporter)).checks
        .filter(({ claim }) => claim === "energy per image (estimate)")
        .map(({ holds }) => holds);
    write();
    expect(await energyChecks()).toEqual([true, true, true]);
    stages[2]!.energy.joulesPerImage *= 0.999;
    write();
    expect(await energyChecks()).toEqual([true, true, false]);
  });

  it("is found false after a model file is changed", async () => {
    cpSync(at("whole"), at("swapped"), { recursive: true });
    cpSync(at("whole", models[0]!, "model.onnx"), at("swapped", models[2]!, "model.onnx"));
    expect((await verifyRun(at("swapped"), silentReporter)).holds).toBe(false);
  });

  it("measures each stage's .pare file, and finds it false after it is changed", async () => {
    const { stages } = await readReport(at("whole"));
    for (const { coded, accuracy } of stages) {
      expect(coded!.fileBytes).toBe(readFileSync(at("whole", coded!.file)).length);
      expect(coded!.accuracy.samples).toBe(accuracy.samples);
      expect(coded!.weights.bytes + coded!.otherBytes + coded!.structureBytes).toBe(coded!.fileBytes);
    }
    cpSync(at("whole"), at("recoded"), { recursive: true });
    cpSync(at("whole", stages[0]!.coded!.file), at("recoded", stages[1]!.coded!.file));
    const { checks } = await verifyRun(at("recoded"), silentReporter);
    const broken = checks.filter(({ claim, holds }) => claim.endsWith(".pare") && !holds);
    expect(broken.map(({ claim }) => claim)).toContain(`content of ${stages[1]!.coded!.file}`);
  });

  it("optimizes: tries, chooses within the budget, and reports the trials", async () => {
    const given = checkRecipe(
      { model: at("whole", models[0]!, "model.onnx"), data: plan.data, stages: [], maxDrop: 1, measure: plan.measure },
      "test",
    );
    const search = searchSchema.parse({
      trials: 3,
      probeEpochs: 0.5,
      epochs: 1,
      batch: 16,
      threads: 1,
      objective: "macs",
    });
    const report = await optimizeModel(given, search, {
      directory: at("optimized"),
      resume: false,
      reporter: silentReporter,
    });
    expect(report.trials.length).toBeGreaterThanOrEqual(2);
    expect(report.trials.filter(({ kept }) => kept)).toHaveLength(1);
    const kept = report.trials.find((trial) => trial.kept)!;
    expect(report.stages[1]!.method).toBe(kept.method);
    expect(kept.macs).toBe(Math.min(...report.trials.map(({ macs }) => macs)));
    expect(report.stages.at(-1)!.macs).toBeLessThan(0.6 * report.stages[0]!.macs);
  });
});
