/**
 * Measures the exported file of every stage and makes the report of a run: accuracy and agreement on the whole test split,
 * latency with all stages taking turns, peak memory of a fresh process each, cost counted from the file.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { analyzeCost } from "../analysis/cost.ts";
import { type EnergyOptions, measureEnergy } from "../engine/energy.ts";
import { disagreement } from "../engine/ensemble.ts";
import { agreementOf, type Evaluation, evaluateModel } from "../engine/evaluate.ts";
import { describeMachine, type LatencyResult, measureLatency, measurePeakMemory } from "../engine/measure.ts";
import type { Graph } from "../graph/graph.ts";
import { decodeModel, readModel } from "../onnx/index.ts";
import type { Ensemble, Report, Stage, Trial } from "../report/schema.ts";
import { accuracyOf } from "./accuracy-of.ts";
import { measureCoded } from "./measure-coded.ts";
import { type Reporter, stopIfAsked } from "./progress.ts";
import type { Recipe } from "./recipe.ts";
import { imageFormatOf, type RunData } from "./run-data.ts";
import { digestOf, type RunFolder } from "./run-folder.ts";
import { recordSchema } from "./stage-record.ts";
import { version } from "./version.ts";

export interface Measurement {
  readonly recipe: Recipe;
  readonly folder: RunFolder;
  readonly data: RunData;
  readonly reporter: Reporter;
  readonly signal: AbortSignal | undefined;
}

/** All that is measured again by `verify`. */
export type MeasuredStage = Omit<Stage, "name" | "method" | "params" | "training" | "changes" | "skipped">;

/** Measures the exported models in the folders `stages`, the original's first; `energy` as `measureEnergy` takes it. */
export async function measureStages(
  measurement: Measurement,
  stages: readonly string[],
  energy: Pick<EnergyOptions, "meter"> = {},
): Promise<MeasuredStage[]> {
  const { folder, data, reporter, signal } = measurement;
  const files = stages.map((stage) => path.join(folder.directory, stage, "model.onnx"));
  const graphs = await Promise.all(files.map((file) => readModel(file)));
  const evaluations: Evaluation[] = [];
  for (const [i, graph] of graphs.entries()) {
    stopIfAsked(signal);
    evaluations.push(
      await evaluateModel(graph, data.dataset.test, {
        ...imageFormatOf(decodeModel(folder.read(stages[i]!, "graph.onnx")), data.dataset),
        file: files[i],
        onProgress: (done, total) => reporter.progress(done, total, `accuracy of ${stages[i]}`),
        signal,
      }),
    );
  }
  stopIfAsked(signal);
  const latencies = await measureLatencies(measurement, stages);
  const energies = await measureEnergies(measurement, files, fixedBatch(graphs) ?? 1, energy);
  const measured: MeasuredStage[] = [];
  for (const [i, graph] of graphs.entries()) {
    stopIfAsked(signal);
    reporter.progress(i, graphs.length, "peak memory");
    const peakMemoryBytes = await measurePeakMemory(files[i]!);
    measured.push({
      ...describeFile(files[i]!, graph),
      file: `${stages[i]}/model.onnx`,
      accuracy: accuracyOf(evaluations[i]!),
      agreement: agreementOf(evaluations[0]!.predictions, evaluations[i]!.predictions),
      latencyMs: latencyOf(latencies, stages[i]!),
      peakMemoryBytes,
      energy: energies[i]!,
      ensemble: await measureEnsemble(measurement, stages[i]!),
      coded: await measureCoded(measurement, stages[i]!, evaluations[0]!),
    });
  }
  return measured;
}

/** The members of a stage that is an ensemble, each on the test split, and how far they differ; null where it is none. */
async function measureEnsemble(
  { folder, data, reporter, signal }: Measurement,
  stage: string,
): Promise<Ensemble | null> {
  const { members } = recordSchema.parse(folder.readJson(stage, "record.json"));
  if (members.length === 0) return null;
  const evaluations: Evaluation[] = [];
  for (const member of members) {
    stopIfAsked(signal);
    const graph = decodeModel(folder.read(stage, member));
    evaluations.push(
      await evaluateModel(graph, data.dataset.test, {
        ...imageFormatOf(graph, data.dataset),
        onProgress: (done, total) => reporter.progress(done, total, `accuracy of ${member}`),
        signal,
      }),
    );
  }
  return {
    members: members.map((member, i) => ({
      file: `${stage}/${member}`,
      fileBytes: folder.read(stage, member).length,
      accuracy: accuracyOf(evaluations[i]!),
    })),
    disagreement: disagreement(evaluations.map(({ predictions }) => predictions)),
  };
}

/** Times the exported models of `stages` in alternation. */
export async function measureLatencies(
  { folder, recipe, reporter, signal }: Measurement,
  stages: readonly string[],
): Promise<readonly LatencyResult[]> {
  const files = stages.map((stage) => path.join(folder.directory, stage, "model.onnx"));
  const graphs = await Promise.all(files.map((file) => readModel(file)));
  return measureLatency(
    stages.map((name, i) => ({ name, model: files[i]! })),
    {
      ...recipe.measure,
      batches: measurableBatches(graphs, recipe),
      signal,
      onProgress: (done, total) => reporter.progress(done, total, "latency"),
    },
  );
}

async function measureEnergies(
  { recipe, signal, reporter }: Measurement,
  files: readonly string[],
  batch: number,
  energy: Pick<EnergyOptions, "meter">,
) {
  stopIfAsked(signal);
  reporter.progress(0, 1, "energy");
  const models = files.map((file) => ({ name: file, model: file }));
  return measureEnergy(models, { ...energy, batch, threads: recipe.measure.threads, signal });
}

/** The batches that every model takes: those asked for, or the one that a model fixes. */
export function measurableBatches(graphs: readonly Graph[], recipe: Recipe): readonly number[] {
  const fixed = fixedBatch(graphs);
  return fixed === undefined ? recipe.measure.batches : [fixed];
}

/** The batch that one of the models fixes. */
function fixedBatch(graphs: readonly Graph[]): number | undefined {
  return graphs
    .map((graph) => graph.inputs.find(({ name }) => !graph.initializers.has(name))?.shape?.[0])
    .find((dim) => typeof dim === "number");
}

function describeFile(file: string, graph: Graph) {
  const bytes = readFileSync(file);
  const { parameters, macs, layers } = analyzeCost(graph);
  return {
    sha256: digestOf(bytes),
    fileBytes: bytes.length,
    parameters,
    macs,
    layers: layers.map((layer) => ({ ...layer, shape: [...layer.shape] })),
  };
}

/** A stage's own results. */
export const latencyOf = (results: readonly LatencyResult[], stage: string): Stage["latencyMs"] =>
  results.filter(({ model }) => model === stage).map(({ model: _, ...latency }) => latency);

/** The report of a finished run. */
export async function reportRun(
  measurement: Measurement,
  stages: readonly string[],
  facts: { readonly created: string; readonly totalSeconds: number; readonly trials: readonly Trial[] },
): Promise<Report> {
  const { recipe, folder, data } = measurement;
  const measured = await measureStages(measurement, stages);
  const { dataset, train, validation } = data;
  return {
    version: 1,
    netpare: version,
    title: recipe.title ?? titleOf(recipe, dataset.name),
    created: facts.created,
    machine: describeMachine(),
    data: {
      name: dataset.name,
      spec: recipe.data,
      classes: [...dataset.classes],
      trainSamples: train.length,
      validationSamples: validation?.length ?? 0,
      testSamples: dataset.test.length,
    },
    seed: recipe.seed,
    recipe,
    maxDrop: recipe.maxDrop ?? null,
    totalSeconds: facts.totalSeconds,
    stages: measured.map((stage, i) => {
      const { members: _, ...record } = recordSchema.parse(folder.readJson(stages[i]!, "record.json"));
      return { ...stage, ...record };
    }),
    trials: [...facts.trials],
  };
}

function titleOf({ model }: Recipe, data: string): string {
  const name = typeof model === "string" ? model.replace(/^.*[\\/]/, "").replace(/\.onnx$/, "") : model.architecture;
  return `${name} on ${data}`;
}
