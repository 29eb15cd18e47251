/**
 * Executes a recipe in a run folder: the original, then stage after stage, then the measurement of every exported file.
 * A stage whose record is there is not done again; a stage that was in training goes on from its checkpoint.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { readPreprocessing, withPreprocessing } from "../data/preprocessing.ts";
import { averageNetworks } from "../engine/ensemble.ts";
import { createSamples } from "../engine/samples.ts";
import { type Trained, trainModel } from "../engine/train.ts";
import type { TrainingProgress } from "../engine/train-loop.ts";
import { type TrainingOptions, trainingSchema } from "../engine/training-options.ts";
import type { Graph } from "../graph/graph.ts";
import type { Application, MethodContext, TrainingRecipe } from "../methods/define-method.ts";
import { findMethod } from "../methods/index.ts";
import { decodeModel, encodeModel, readModel } from "../onnx/index.ts";
import { simplify } from "../passes/index.ts";
import type { Report, Trial } from "../report/schema.ts";
import { NetpareError } from "../tensor/error.ts";
import { createRandom } from "../tensor/random.ts";
import { findArchitecture } from "../zoo/index.ts";
import { writeCoded } from "./measure-coded.ts";
import { type Measurement, reportRun } from "./measure-run.ts";
import { Interrupted, type Reporter, stopIfAsked } from "./progress.ts";
import { formatRecipe, type StageRecipe } from "./recipe.ts";
import { imageFormatOf } from "./run-data.ts";
import type { RunFolder } from "./run-folder.ts";
import type { StageRecord } from "./stage-record.ts";

/** What an execution works with. */
export interface Execution extends Measurement {
  /** When the run was begun, ISO 8601. */
  readonly created: string;
  /** Seconds of work so far, over all sessions of the run. */
  readonly secondsSpent: () => number;
  /** What a search tried before. */
  readonly trials?: readonly Trial[];
}

/**
 * Runs a recipe to its report.
 * @throws Interrupted where `signal` was aborted; the folder can be resumed.
 */
export async function executeRecipe(execution: Execution): Promise<Report> {
  const { recipe, folder, reporter } = execution;
  await folder.write("recipe.yaml", formatRecipe(recipe));
  const stages = [await originalStage(execution)];
  for (const [i, stage] of recipe.stages.entries()) stages.push(await executeStage(execution, stage, i + 1, stages));
  stopIfAsked(execution.signal);
  reporter.note("measuring every exported file");
  return reportRun(
    execution,
    stages.map((stage) => stage.folder),
    { created: execution.created, totalSeconds: execution.secondsSpent(), trials: execution.trials ?? [] },
  );
}

/** A stage that is done: its folder's name and the graph that the next one starts from. */
interface DoneStage {
  readonly folder: string;
  readonly graph: Graph;
}

async function originalStage(execution: Execution): Promise<DoneStage> {
  const { recipe, folder, data, reporter } = execution;
  const name = "stages/0-original";
  if (folder.has(name, "record.json")) return doneStage(folder, name);
  const { dataset } = data;
  const record: StageRecord = {
    name: "original",
    method: null,
    params: {},
    changes: [],
    skipped: [],
    training: null,
    members: [],
  };
  const place = (graph: Graph) =>
    withPreprocessing(graph, recipe.preprocessing ?? readPreprocessing(graph) ?? dataset.preprocessing);
  if (typeof recipe.model === "string") {
    const graph = place(await readModel(recipe.model));
    return finishStage(folder, name, graph, await exportedOriginal(recipe.model, graph), record);
  }
  const { architecture, params, train } = recipe.model;
  const sized = { classes: dataset.classes.length, channels: dataset.channels, size: dataset.height, ...params };
  const fresh = place(findArchitecture(architecture).build(sized, createRandom(recipe.seed)));
  reporter.note(`training ${architecture} on ${dataset.name}`);
  const trained = await trainStage(
    execution,
    fresh,
    name,
    trainingSchema.parse({ seed: recipe.seed, ...train }),
    undefined,
  );
  const { graph, members } = await joinSnapshots(folder, name, trained);
  const training = trainingRecord(trained);
  return finishStage(folder, name, graph, encodeModel(graph), { ...record, training, members });
}

/** The original's own bytes, so that it is measured as it was given; encoded anew where its data lie in further files. */
async function exportedOriginal(file: string, graph: Graph): Promise<Uint8Array> {
  const bytes = await readFile(file);
  try {
    decodeModel(bytes);
    return bytes;
  } catch (error) {
    if (error instanceof NetpareError) return encodeModel(graph);
    throw error;
  }
}

async function executeStage(
  execution: Execution,
  stage: StageRecipe,
  index: number,
  before: readonly DoneStage[],
): Promise<DoneStage> {
  const { recipe, folder, reporter } = execution;
  const name = `stages/${index}-${stage.method}`;
  if (folder.has(name, "record.json")) return doneStage(folder, name);
  stopIfAsked(execution.signal);
  reporter.note(`stage ${index} of ${recipe.stages.length}: ${stage.method}`);
  const original = before[0]!.graph;
  const options = stage.train && trainingSchema.parse({ seed: recipe.seed + index, ...stage.train });
  const fineTune = options && createFineTune(execution, name, options, await softTargets(stage, original));
  const application = await applyMethod(execution, stage, before[before.length - 1]!.graph, original, fineTune);
  let graph = application.graph;
  let training: StageRecord["training"] = null;
  let members: readonly string[] = [];
  if (options !== undefined) {
    const recipeOfStage = application.recipe ?? (await softTargets(stage, original));
    const trained = await trainStage(execution, graph, name, options, recipeOfStage);
    ({ graph, members } = await joinSnapshots(folder, name, trained));
    training = trainingRecord(trained);
  }
  const { changes, skipped } = application;
  const record: StageRecord = {
    name: stage.method,
    method: stage.method,
    params: stage.params,
    changes: [...changes],
    skipped: [...skipped],
    training,
    members: [...members],
  };
  return finishStage(folder, name, graph, encodeModel(simplify(graph).graph), record);
}

/** What trains a graph between a method's rounds; a round that is done is not trained again. */
function createFineTune(
  execution: Execution,
  name: string,
  options: TrainingOptions,
  recipe: TrainingRecipe | undefined,
): NonNullable<MethodContext["fineTune"]> {
  const { folder } = execution;
  return async (graph, what) => {
    const round = `${name}/${what.replaceAll(" ", "-")}`;
    if (!folder.has(round, "graph.onnx")) {
      const trained = await trainStage(execution, graph, round, options, recipe);
      await folder.write(`${round}/graph.onnx`, encodeModel(trained.graph));
    }
    return decodeModel(folder.read(round, "graph.onnx"));
  };
}

/** Applies a stage's method with training images as its samples. */
export async function applyMethod(
  execution: Execution,
  stage: StageRecipe,
  graph: Graph,
  original: Graph,
  fineTune?: MethodContext["fineTune"],
): Promise<Application> {
  const { recipe, data, reporter } = execution;
  const method = findMethod(stage.method);
  const samples = createSamples(data.train, {
    ...imageFormatOf(graph, data.dataset),
    seed: recipe.seed,
    limit: sampleLimit,
  });
  const context: MethodContext = {
    seed: recipe.seed,
    samples,
    models: new Map([["teacher", original]]),
    ...(fineTune && { fineTune }),
    progress: (done, total, what) => reporter.progress(done, total, `${stage.method}: ${what}`),
  };
  return method.apply(graph, method.params.parse(stage.params), context);
}

/** Training images that a method may look at. */
const sampleLimit = 1024;

/** What `distill` asks of a training whose teacher is the original. */
export async function softTargets(
  stage: Pick<StageRecipe, "distill">,
  original: Graph,
): Promise<TrainingRecipe | undefined> {
  if (stage.distill === false) return undefined;
  const distill = findMethod("distill");
  const params = distill.params.parse({ ...stage.distill, teacher: "original" });
  const application = await distill.apply(original, params, {
    seed: 0,
    samples: undefined,
    models: new Map([["teacher", original]]),
    progress: () => {},
  });
  return application.recipe;
}

/** Trains a stage's graph, with a checkpoint in its folder until it is done. */
export async function trainStage(
  execution: Execution,
  graph: Graph,
  name: string,
  options: TrainingOptions,
  recipe: TrainingRecipe | undefined,
): Promise<Trained> {
  const { data, folder, reporter, signal } = execution;
  const checkpoint = folder.file(name, "checkpoint");
  const trained = await trainModel(
    graph,
    { train: data.train, validation: data.validation, ...imageFormatOf(graph, data.dataset) },
    {
      options,
      recipe,
      checkpoint: { file: checkpoint, resume: true },
      signal,
      onProgress: (p) => reportTraining(p, reporter, folder),
      onNote: (note) => reporter.note(note),
    },
  );
  if (trained.stopped) throw new Interrupted();
  folder.remove(path.join(name, "checkpoint"));
  return trained;
}

function reportTraining(p: TrainingProgress, reporter: Reporter, folder: RunFolder): void {
  const validation = p.validationAccuracy === null ? "" : `, validation ${(100 * p.validationAccuracy).toFixed(2)} %`;
  const detail = `loss ${p.loss.toFixed(4)}, accuracy ${(100 * p.accuracy).toFixed(2)} %${validation}, ${Math.round(p.imagesPerSecond)} images/s`;
  reporter.progress(p.step, p.steps, "training", detail);
  if (p.epochEnd)
    folder.log(`epoch ${p.epoch.toFixed(2)} of ${p.epochs}: ${detail}, learning rate ${p.learningRate.toPrecision(3)}`);
}

/** Writes what a stage leaves; the record comes last and marks it done. */
async function finishStage(
  folder: RunFolder,
  name: string,
  graph: Graph,
  exported: Uint8Array,
  record: StageRecord,
): Promise<DoneStage> {
  await folder.write(`${name}/graph.onnx`, encodeModel(graph));
  await folder.write(`${name}/model.onnx`, exported);
  await writeCoded(folder, name, graph);
  await folder.write(`${name}/record.json`, JSON.stringify(record));
  return { folder: name, graph };
}

const doneStage = (folder: RunFolder, name: string): DoneStage => ({
  folder: name,
  graph: decodeModel(folder.read(name, "graph.onnx")),
});

/** The network that a training gave; where it kept snapshots, their ensemble, and the files of its members. */
async function joinSnapshots(folder: RunFolder, name: string, { graph, snapshots }: Trained) {
  if (snapshots.length === 0) return { graph, members: [] };
  const members = snapshots.map((_, i) => `member-${i + 1}.onnx`);
  for (const [i, snapshot] of snapshots.entries())
    await folder.write(`${name}/${members[i]}`, encodeModel(simplify(snapshot).graph));
  return { graph: averageNetworks(snapshots), members };
}

const trainingRecord = ({ seconds, curve, peakMemoryBytes, energy, memory }: Trained): StageRecord["training"] => ({
  seconds,
  epochs: curve[curve.length - 1]?.epoch ?? 0,
  peakMemoryBytes,
  energy,
  memory,
  curve: [...curve],
});
