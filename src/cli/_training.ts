/** Training as `train` and `apply` do it: with progress, a checkpoint beside the file to be written, and an evaluation at the end. */
import { rm, stat } from "node:fs/promises";
import { z } from "zod";
import { carveValidation, type Dataset, type Preprocessing, requireClasses } from "../data/index.ts";
import { averageNetworks, disagreement, meanDisagreement } from "../engine/ensemble.ts";
import { type Evaluation, evaluateModel, wilsonInterval } from "../engine/evaluate.ts";
import { type Trained, trainModel } from "../engine/train.ts";
import type { TrainingProgress } from "../engine/train-loop.ts";
import { type TrainingOptions, trainingSchema } from "../engine/training-options.ts";
import type { Graph } from "../graph/graph.ts";
import type { TrainingRecipe } from "../methods/define-method.ts";
import { writeModel } from "../onnx/index.ts";
import { describeTrainingEnergy } from "../report/energy-note.ts";
import { formatBytes, formatDuration, formatPercent } from "../report/format.ts";
import { describeMemory } from "../report/stage-facts.ts";
import { createRandom } from "../tensor/random.ts";
import { imageFormat } from "./_data-options.ts";
import { type Host, Stopped } from "./_host.ts";
import { sparkline } from "./_sparkline.ts";

/** Flags of training beside those of `trainingSchema`. */
export const trainingExtras = {
  validation: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe("share of the training images held out to watch accuracy on"),
  resume: z.boolean().default(false).describe("go on from the checkpoint that a stopped training left beside --out"),
};

/** The heading of training options in the help. */
export const trainingGroup = { Training: [...Object.keys(trainingSchema.shape), ...Object.keys(trainingExtras)] };

/** What is trained, on what, and where it goes. */
export interface TrainingTask {
  readonly graph: Graph;
  readonly dataset: Dataset;
  readonly preprocessing: Preprocessing;
  readonly options: TrainingOptions;
  readonly recipe?: TrainingRecipe | undefined;
  readonly out: string;
  readonly validation: number;
  readonly resume: boolean;
}

/** What training gave, measured on the written file. */
export interface TrainingResult {
  readonly trained: Trained;
  readonly test: Evaluation;
  /** The snapshots that the written model averages, where there are some. */
  readonly members: readonly (Evaluation & { readonly file: string })[];
  readonly fileBytes: number;
}

/**
 * Trains, writes the model to `out` and evaluates that file on the test split.
 * @throws Stopped after Ctrl-C, once the checkpoint is written.
 */
export async function trainToFile(task: TrainingTask, host: Host): Promise<TrainingResult> {
  const { dataset, options, out } = task;
  const checkpoint = `${out}.checkpoint`;
  const trained = await trainOrStop(task, checkpoint, "training", host);
  const { snapshots } = trained;
  const graph = snapshots.length > 0 ? averageNetworks(snapshots) : trained.graph;
  await writeModel(out, graph);
  for (const [i, snapshot] of snapshots.entries()) await writeModel(snapshotFile(out, i), snapshot);
  await rm(checkpoint, { force: true });
  const progress = host.progress("evaluating");
  const files = [out, ...snapshots.map((_, i) => snapshotFile(out, i))];
  const evaluations: Evaluation[] = [];
  for (const [i, evaluated] of [graph, ...snapshots].entries())
    evaluations.push(
      await evaluateModel(evaluated, dataset.test, {
        ...imageFormat(dataset, task.preprocessing),
        file: files[i],
        threads: options.threads,
        onProgress: (done, total) => progress.update(i * total + done, files.length * total),
      }),
    );
  progress.stop();
  const [test, ...members] = evaluations;
  return {
    trained,
    test: test!,
    members: members.map((member, i) => ({ file: files[i + 1]!, ...member })),
    fileBytes: (await stat(out)).size,
  };
}

/** Where the network at the end of cycle `index` goes, beside the trained one. */
const snapshotFile = (out: string, index: number) => out.replace(/(\.onnx)?$/, `.cycle-${index + 1}.onnx`);

/**
 * Trains with a checkpoint; one that is there is gone on with where the task resumes, and removed where not.
 * @throws Stopped after Ctrl-C, once the checkpoint is written.
 */
export async function trainOrStop(task: TrainingTask, checkpoint: string, what: string, host: Host): Promise<Trained> {
  const { dataset, preprocessing, options } = task;
  if (!task.resume) await rm(checkpoint, { force: true });
  const { classes, storedShape } = imageFormat(requireClasses(dataset), preprocessing);
  const data = { ...trainSplits(task), classes, storedShape, preprocessing };
  let progress = host.progress(what);
  const request = {
    options,
    recipe: task.recipe,
    checkpoint: { file: checkpoint, resume: task.resume },
    onProgress: (p: TrainingProgress) => progress.update(p.step, p.steps, describeProgress(p), describeCurves(p)),
    onNote: (note: string) => {
      host.note(note);
      progress = host.progress(what);
    },
  };
  const trained = await host.stoppable((signal) => trainModel(task.graph, data, { ...request, signal }));
  progress.stop();
  if (!trained.stopped) return trained;
  throw new Stopped(
    `stopped ${what} at epoch ${trained.epochs.toFixed(1)} of ${options.epochs}; go on with the same command and --resume`,
  );
}

function trainSplits({ dataset, validation, options }: TrainingTask) {
  if (validation === 0) return { train: dataset.train };
  return carveValidation(dataset.train, validation, createRandom(options.seed).fork(97));
}

function describeProgress({
  epoch,
  epochs,
  loss,
  accuracy,
  validationAccuracy,
  imagesPerSecond,
}: TrainingProgress): string {
  const validation = validationAccuracy === null ? "" : `, validation ${formatPercent(validationAccuracy)}`;
  const rate = `${Math.round(imagesPerSecond)} images/s`;
  return `epoch ${epoch.toFixed(1)} of ${epochs}, loss ${loss.toFixed(3)}, accuracy ${formatPercent(accuracy)}${validation}, ${rate}`;
}

/** The epochs so far in a line; empty before there are two. */
function describeCurves({ curve }: TrainingProgress): string {
  const line = (name: string, values: readonly (number | null)[], format: (value: number) => string) => {
    const known = values.filter((value) => value !== null);
    if (known.length < 2) return [];
    return [`${name} ${sparkline(known, 16)} ${format(known[0]!)} to ${format(known[known.length - 1]!)}`];
  };
  const fixed = (value: number) => value.toFixed(3);
  return [
    ...line(
      "loss",
      curve.map(({ loss }) => loss),
      fixed,
    ),
    ...line(
      "accuracy",
      curve.map(({ accuracy }) => accuracy),
      formatPercent,
    ),
    ...line(
      "validation",
      curve.map(({ validationAccuracy }) => validationAccuracy),
      formatPercent,
    ),
  ].join("   ");
}

/** The training options among a command's flags. */
export function readTrainingOptions(given: Readonly<Record<string, unknown>>): TrainingOptions {
  return trainingSchema.parse(given);
}

/** What `--json` shows of a training. */
export function trainingJson({ trained, test, members, fileBytes }: TrainingResult) {
  const { samples, top1, top5, loss } = test;
  const { steps, epochs, best, seconds, peakMemoryBytes, energy, memory, curve } = trained;
  return {
    fileBytes,
    training: { steps, epochs, best, seconds, peakMemoryBytes, energy, memory, curve },
    test: { samples, top1, top5, loss },
    ...(members.length === 0
      ? {}
      : {
          members: members.map((member) => ({ file: member.file, top1: member.top1, loss: member.loss })),
          disagreement: disagreement(members.map(({ predictions }) => predictions)),
        }),
  };
}

const formatEpoch = (epoch: number) => String(Number(epoch.toFixed(2)));

/** What people are told of a training. */
export function trainingText({ trained, test, members, fileBytes }: TrainingResult, out: string): string {
  const [low, high] = wilsonInterval(test.correct, test.samples);
  const percent = (fraction: number) => formatPercent(fraction, 2);
  const { best } = trained;
  return [
    ...(trained.energy ? [`energy ${describeTrainingEnergy(trained.energy)}`] : []),
    `trained for ${formatDuration(trained.seconds)}; wrote ${out}, ${formatBytes(fileBytes)}`,
    `test top-1 ${percent(test.top1)} (${percent(low)} to ${percent(high)} at 95 %), loss ${test.loss.toFixed(4)}, ${test.samples} images`,
    ...(best === null ? [] : [`kept epoch ${formatEpoch(best.epoch)}, validation ${percent(best.validationAccuracy)}`]),
    ...(trained.memory ? [`memory ${describeMemory(trained, trained.memory)}`] : []),
    ...(members.length > 0 ? [`${out} is the average of the networks at the ends of the cycles:`] : []),
    ...members.map((member) => `  ${member.file}  top-1 ${percent(member.top1)}`),
    ...(members.length > 1
      ? [
          `two of them differ on ${percent(meanDisagreement(members.map(({ predictions }) => predictions)))} of the images`,
        ]
      : []),
  ].join("\n");
}
