/** `netpare bench`: latency, memory and energy of model files, measured in alternation. */
import { z } from "zod";
import { type InferenceEnergy, measureEnergy } from "../engine/energy.ts";
import { describeMachine, type LatencyResult, measureLatency, measurePeakMemory } from "../engine/measure.ts";
import { type Engine, engineOf } from "../engine/open-model.ts";
import { energyNote, markEnergy } from "../report/energy-note.ts";
import { formatBytes, formatJoules, formatMs, formatRatio } from "../report/format.ts";
import { NetpareError } from "../tensor/error.ts";
import { loadModel, type ModelFile } from "./_model-file.ts";
import { formatTable } from "./_table.ts";
import { defineCommand } from "./define-command.ts";

const options = z.object({
  batch: z.array(z.int().positive().max(65536)).min(1).default([1, 32]).describe("batch sizes"),
  threads: z.int().positive().max(256).default(1).describe("threads of the engine"),
  engine: z
    .enum(["ort", "pare"])
    .optional()
    .describe("only files of this engine: onnxruntime, or netpare's own runtime for .pare"),
  runs: z
    .int()
    .min(3)
    .optional()
    .describe("timed runs of each model and batch; as many as fit 2 seconds where left out"),
});

export const benchCommand = defineCommand({
  name: "bench",
  summary: "measure latency, memory and energy of models, in alternation",
  arguments: [["<models...>", ".onnx or .pare files; ratios are to the first"]],
  options,
  examples: [
    "bench resnet32.onnx pared.onnx",
    "bench resnet32.onnx pared.onnx --batch 1 --threads 2 --runs 200 --json",
  ],
  async run({ args, options: given, host }) {
    const models: ModelFile[] = [];
    for (const file of args) models.push(await loadModel(file));
    const other = models.find(({ file }) => given.engine !== undefined && engineOf(file) !== given.engine);
    if (other)
      throw new NetpareError(
        "bad-option",
        `--engine ${given.engine} does not run ${other.file}; write a file for it: netpare export ${other.file} --to ${given.engine === "pare" ? "pare" : "onnx"} --out FILE`,
      );
    const timing = host.progress("timing");
    const timed = await measureLatency(
      models.map(({ file }) => ({ name: file, model: file })),
      {
        batches: given.batch,
        threads: given.threads,
        runs: given.runs,
        onProgress: (done, total) => timing.update(done, total),
      },
    );
    const weighing = host.progress("measuring memory");
    const memory = new Map<string, number>();
    for (const [i, { batch }] of timed.entries()) {
      const { file } = models[Math.floor(i / given.batch.length)]!;
      memory.set(`${file} ${batch}`, await measurePeakMemory(file, { batch }));
      weighing.update(i + 1, timed.length);
    }
    const energies = new Map<string, InferenceEnergy | null>();
    for (const batch of given.batch) {
      const timedModels = models.map(({ file }) => ({ name: file, model: file }));
      const measured = await measureEnergy(timedModels, { batch, threads: given.threads });
      for (const [i, { file }] of models.entries()) energies.set(`${file} ${batch}`, measured[i]!);
    }
    const results = timed.map(({ model, batch, threads, runs, median, p10, p90 }, i) => ({
      model,
      engine: engineOf(model),
      batch,
      // The runtime takes one thread.
      threads: engineOf(model) === "pare" ? 1 : threads,
      runs,
      latencyMs: { median, p10, p90 },
      ratio: timed[i % given.batch.length]!.median / median,
      peakMemoryBytes: memory.get(`${model} ${batch}`) ?? 0,
      fileBytes: models[Math.floor(i / given.batch.length)]!.fileBytes,
      energy: energies.get(`${model} ${batch}`) ?? null,
    }));
    const machine = describeMachine();
    const runs = Math.min(...timed.map((result: LatencyResult) => result.runs));
    return { json: { machine, runs, results }, text: describe(results, machine.cpu, given.threads, runs) };
  },
});

interface Row {
  readonly model: string;
  readonly engine: Engine;
  readonly batch: number;
  readonly latencyMs: { readonly median: number; readonly p10: number; readonly p90: number };
  readonly ratio: number;
  readonly peakMemoryBytes: number;
  readonly fileBytes: number;
  readonly energy: InferenceEnergy | null;
}

function describe(rows: readonly Row[], cpu: string, threads: number, runs: number): string {
  const source = rows.find(({ energy }) => energy !== null)?.energy?.source ?? "estimate";
  const energyHead = markEnergy("energy/image", source);
  const head = ["model", "batch", "median", "p10", "p90", "ratio", "peak memory", "file", energyHead];
  const cells = rows.map(({ model, batch, latencyMs, ratio, peakMemoryBytes, fileBytes, energy }) => [
    model,
    String(batch),
    formatMs(latencyMs.median),
    formatMs(latencyMs.p10),
    formatMs(latencyMs.p90),
    formatRatio(ratio),
    formatBytes(peakMemoryBytes),
    formatBytes(fileBytes),
    formatJoules(energy?.joulesPerImage ?? null),
  ]);
  const names: Readonly<Record<Engine, string>> = { ort: "onnxruntime", pare: "netpare's runtime (.pare, 1 thread)" };
  const engines = [...new Set(rows.map(({ engine }) => names[engine]))].join(" and ");
  const foot = `${cpu}, ${threads} thread${threads === 1 ? "" : "s"}, ${engines}, at least ${runs} runs in alternation`;
  return `${formatTable(head, cells, [0])}\n${foot}\n${energyNote(source)}`;
}
