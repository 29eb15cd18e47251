/**
 * The training loop: feeds a step graph with batches and carries its states. Runs in a worker, because onnxruntime blocks the
 * thread it is called on. All randomness of step t comes from the seed and t, so that a loop resumed from a checkpoint takes
 * the very steps that the first would have taken. The loss is judged after every step, the parameters now and then and always
 * before they are saved; where something is amiss, the steps since the last sound standing are taken again to find the one
 * and the place at which it began.
 */
import { stepNames } from "../autodiff/training-step.ts";
import type { Split } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Tensor, tensorOf } from "../tensor/tensor.ts";
import { type BatchFeed, openBatchFeed } from "./batch-feed.ts";
import type { Batch, BatchTask } from "./batch-source.ts";
import { openBlockedSession } from "./blocked-layout.ts";
import { checkpointExists, readCheckpoint, removeTorn, type Standing, writeCheckpoint } from "./checkpoint.ts";
import { explosion, findOrigin, unsoundStates } from "./divergence.ts";
import { openEnergyMeter } from "./energy.ts";
import { peakResidentBytes, restartPeak } from "./resident-memory.ts";
import { averageDecay, endsCycle, endsEpoch, epochsOf, learningRate, type Pace, paceOf } from "./schedule.ts";
import { openSession, type Session } from "./session.ts";
import { openPlannedStep, type PlannedStep, type StepRunner } from "./step-runner.ts";
import type { TrainingOptions } from "./training-options.ts";
import { validate } from "./validate.ts";

/** Everything a loop needs, as plain data that can be sent to a worker. */
export interface TrainingJob {
  readonly step: {
    readonly model: Uint8Array;
    readonly images: string;
    readonly imageDims: readonly number[];
    readonly noisy: boolean;
    readonly states: ReadonlyMap<string, { readonly initial: Tensor; readonly next: string }>;
    readonly gradients: ReadonlyMap<string, string>;
    readonly loss: string;
    readonly correct: string;
    /** The step in ranges, where it has to keep to a memory budget. */
    readonly planned: PlannedStep | undefined;
  };
  /** The network with its parameters as inputs, for validation, with the name of its input and of its scores. */
  readonly forward: {
    readonly model: Uint8Array;
    readonly images: string;
    readonly scores: string;
    /** By parameter of the network the state that holds it. */
    readonly kept: ReadonlyMap<string, string>;
  };
  readonly train: Split;
  readonly validation: Split | undefined;
  readonly classes: number;
  /** `(C, H, W)` of the stored images. */
  readonly storedShape: readonly [number, number, number];
  readonly preprocessing: Preprocessing;
  readonly options: TrainingOptions;
  readonly checkpoint: { readonly file: string; readonly resume: boolean; readonly fingerprint: string } | undefined;
  /** Folder of the machine's energy counters; the system's where undefined. */
  readonly powercap: string | undefined;
  /** Whether a further worker may fill the batches to come. */
  readonly helper: boolean;
  /** Element 0 is set to 1 by whoever wants the loop to stop after its step. */
  readonly stop: Int32Array;
}

/** How far a training is. */
export interface TrainingProgress {
  /** Epochs done, with fraction. */
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  /** Means since the epoch began. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  /** Set once an epoch, where there is a validation split. */
  readonly validationAccuracy: number | null;
  readonly epochEnd: boolean;
  /** The ends of the epochs so far, those before a resumption included. */
  readonly curve: readonly TrainingPoint[];
}

/** One point of a training curve. */
export interface TrainingPoint {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly validationAccuracy: number | null;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
}

export interface TrainingOutcome {
  /** The network's parameters. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The network's parameters at the end of each cycle, where they are kept. */
  readonly snapshots: readonly ReadonlyMap<string, Tensor>[];
  readonly curve: readonly TrainingPoint[];
  readonly steps: number;
  /** Epochs done. */
  readonly epochs: number;
  /** The epoch whose parameters were selected, where the best of them were asked for. */
  readonly best: { readonly epoch: number; readonly validationAccuracy: number } | null;
  readonly stopped: boolean;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  /** By the machine's counters; undefined where they were not readable from the first step to the last. */
  readonly joules: number | undefined;
}

const progressEveryMs = 500;

/** Milliseconds to the next checkpoint: they take about a fiftieth of the time, and are 1 to 20 seconds apart. */
const checkpointEveryMs = (lastTookMs: number) => Math.min(20_000, Math.max(1000, 50 * lastTookMs));

/**
 * Runs a training to its end, or until it is told to stop.
 * @throws NetpareError `diverged` where the loss or a parameter stops being a number, or the loss explodes.
 */
export async function runTraining(
  job: TrainingJob,
  onProgress: (progress: TrainingProgress) => void,
): Promise<TrainingOutcome> {
  const { threads } = job.options;
  restartPeak();
  const { model, planned } = job.step;
  const session = planned ? await openPlannedStep(planned, { threads }) : await openBlockedSession(model, { threads });
  const forward = job.validation ? await openSession(job.forward.model, { threads }) : undefined;
  const feed = openBatchFeed(batchTaskOf(job), { helper: job.helper ? "where it pays" : "never" });
  try {
    return await runLoop(job, { session, forward, feed }, onProgress);
  } finally {
    await feed.close();
    await session.release();
    await forward?.release();
  }
}

interface Engine {
  readonly session: Pick<StepRunner, "run">;
  readonly forward: Session | undefined;
  readonly feed: BatchFeed;
}

async function runLoop(
  job: TrainingJob,
  { session, forward, feed }: Engine,
  onProgress: (progress: TrainingProgress) => void,
): Promise<TrainingOutcome> {
  const { options } = job;
  const pace = paceOf(options, job.train.length);
  const feedsAt = (at: Standing) => feedsOf(job, pace, at, feed.at(at.step));
  const wanted = wantedOf(job);
  const take = async (from: Standing) => afterStep(job, pace, from, await session.run(feedsAt(from), wanted));

  let standing = startOf(job);
  let sound = standing;
  const { step: firstStep, seconds: secondsBefore, joules: joulesBefore } = standing;
  const begun = performance.now();
  let lastReport = begun;
  let nextCheckpoint = begun + checkpointEveryMs(0);
  const meter = openEnergyMeter({ root: job.powercap });
  const joules = () => {
    const read = meter?.read();
    return read === undefined || joulesBefore === undefined ? undefined : joulesBefore + read;
  };
  const seconds = () => secondsBefore + (performance.now() - begun) / 1000;
  const requireSound = async () => {
    if (isAmiss(standing) || unsoundStates(standing.states).length > 0)
      throw await describeDivergence(job, pace, sound, standing, take, feedsAt);
    sound = standing;
  };
  const save = async () => {
    // Read even where nothing is saved: a counter must not start over twice between two readings.
    const joulesSoFar = joules();
    if (job.checkpoint === undefined) return;
    const { file, fingerprint } = job.checkpoint;
    await writeCheckpoint(file, { ...standing, fingerprint, seconds: seconds(), joules: joulesSoFar });
  };

  while (standing.step < pace.steps && Atomics.load(job.stop, 0) === 0) {
    standing = await take(standing);
    // A budget has no room for an earlier sound standing.
    if (job.step.planned || isAmiss(standing)) await requireSound();
    const epochEnd = endsEpoch(pace, standing.step);
    const now = performance.now();
    if (epochEnd || now - lastReport > progressEveryMs) {
      lastReport = now;
      await requireSound();
      const rate = (standing.step - firstStep) / ((now - begun) / 1000);
      const validationAccuracy =
        epochEnd && forward && job.validation
          ? await validate(job, forward, parametersOf(job, standing.states), job.validation)
          : null;
      const point = pointOf(job, pace, standing, validationAccuracy, rate * options.batch);
      if (epochEnd) standing = afterEpoch(job, standing, point);
      const { curve, step: done } = standing;
      const secondsLeft = (pace.steps - done) / rate;
      onProgress({ ...point, epochs: options.epochs, step: done, steps: pace.steps, secondsLeft, epochEnd, curve });
    }
    if (now > nextCheckpoint) {
      await requireSound();
      const saving = performance.now();
      await save();
      const saved = performance.now();
      nextCheckpoint = saved + checkpointEveryMs(saved - saving);
    }
  }
  await requireSound();
  await save();
  const { best, curve, snapshots, states } = standing;
  return {
    parameters: best?.parameters ?? parametersOf(job, states),
    snapshots,
    curve,
    steps: standing.step,
    epochs: epochsOf(pace, standing.step),
    best: best && { epoch: best.epoch, validationAccuracy: best.validationAccuracy },
    stopped: standing.step < pace.steps,
    seconds: seconds(),
    peakMemoryBytes: peakResidentBytes(),
    joules: joules(),
  };
}

function batchTaskOf({ train, classes, storedShape, preprocessing, options, step }: TrainingJob): BatchTask {
  const { imageDims, noisy } = step;
  return { train, classes, storedShape, preprocessing, options, imageDims, noisy };
}

const wantedOf = ({ step }: TrainingJob) => [
  step.loss,
  step.correct,
  ...[...step.states.values()].map((state) => state.next),
];

function startOf(job: TrainingJob): Standing {
  if (job.checkpoint) removeTorn(job.checkpoint.file);
  const found = job.checkpoint?.resume ? readCheckpoint(job.checkpoint.file, job.checkpoint.fingerprint) : undefined;
  if (found !== undefined) return found;
  return {
    step: 0,
    // onnxruntime takes no shared memory; these are let go of after the first step.
    states: new Map(
      [...job.step.states].map(([name, { initial }]) => [name, { ...initial, data: initial.data.slice() } as Tensor]),
    ),
    loss: 0,
    firstLoss: undefined,
    epoch: { steps: 0, loss: 0, correct: 0 },
    curve: [],
    snapshots: [],
    best: null,
    seconds: 0,
    joules: 0,
  };
}

/** Where a training stands after the step whose outputs these are. */
function afterStep(job: TrainingJob, pace: Pace, before: Standing, outputs: ReadonlyMap<string, Tensor>): Standing {
  const { options, step } = job;
  const number = (name: string) => (outputs.get(name)!.data as Float32Array)[0]!;
  const loss = number(step.loss);
  const done = before.step + 1;
  const states = new Map([...step.states].map(([name, state]) => [name, outputs.get(state.next)!]));
  const { epoch, snapshots } = before;
  const keeps = options.snapshots && endsCycle(options, done, pace);
  return {
    ...before,
    step: done,
    states,
    loss,
    firstLoss: before.firstLoss ?? loss,
    epoch: { steps: epoch.steps + 1, loss: epoch.loss + loss, correct: epoch.correct + number(step.correct) },
    snapshots: keeps ? [...snapshots, parametersOf(job, states)] : snapshots,
  };
}

function afterEpoch(job: TrainingJob, standing: Standing, point: TrainingPoint): Standing {
  const { epoch, validationAccuracy } = point;
  const { best } = standing;
  const better = validationAccuracy !== null && validationAccuracy > (best?.validationAccuracy ?? -1);
  return {
    ...standing,
    curve: [...standing.curve, point],
    epoch: { steps: 0, loss: 0, correct: 0 },
    best:
      job.options.select === "best" && better
        ? { epoch, validationAccuracy, parameters: parametersOf(job, standing.states) }
        : best,
  };
}

function pointOf(
  { options }: TrainingJob,
  pace: Pace,
  { epoch, step }: Standing,
  validationAccuracy: number | null,
  imagesPerSecond: number,
): TrainingPoint {
  return {
    epoch: epochsOf(pace, step),
    loss: epoch.loss / epoch.steps,
    accuracy: epoch.correct / (epoch.steps * options.batch),
    validationAccuracy,
    learningRate: learningRate(options, step - 1, pace),
    imagesPerSecond,
  };
}

/** The network's parameters, or their averages, among the states. */
function parametersOf(job: TrainingJob, states: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...job.forward.kept].map(([name, state]) => [name, states.get(state)!]));
}

function feedsOf(job: TrainingJob, pace: Pace, { states, step: t }: Standing, batch: Batch): Map<string, Tensor> {
  const { options, step } = job;
  const scalar = (value: number) => tensorOf("float32", [], [value]);
  const feeds = new Map(states);
  feeds.set(step.images, batch.images);
  feeds.set(stepNames.targets, batch.targets);
  feeds.set(stepNames.lr, scalar(learningRate(options, t, pace)));
  if (options.ema > 0) feeds.set(stepNames.averageDecay, scalar(averageDecay(options, t)));
  if (batch.noise) feeds.set(stepNames.noise, batch.noise);
  return feeds;
}

/** Whether the last loss is no number, or has grown out of hand. */
function isAmiss({ loss, firstLoss = loss }: Standing): boolean {
  return !Number.isFinite(loss) || loss > explosion * Math.max(1, firstLoss);
}

/** Finds the first step behind `sound` that goes wrong, by taking them again, and says where in it that began. */
async function describeDivergence(
  job: TrainingJob,
  pace: Pace,
  sound: Standing,
  failed: Standing,
  take: (from: Standing) => Promise<Standing>,
  feedsAt: (from: Standing) => ReadonlyMap<string, Tensor>,
): Promise<NetpareError> {
  let before = sound;
  let after = await take(before);
  while (after.step < failed.step && !isAmiss(after) && unsoundStates(after.states).length === 0) {
    before = after;
    after = await take(before);
  }
  const { loss } = after;
  const origin = await findOrigin(job, feedsAt(before), Number.isFinite(loss) && isAmiss(after));
  const epoch = epochsOf(pace, before.step).toFixed(2);
  const what = isAmiss(after) ? `the loss is ${loss}` : "a parameter is no number any more";
  const where = origin === undefined ? "" : `, which began in ${origin}`;
  const { clip, lr } = job.options;
  const kept =
    job.checkpoint && checkpointExists(job.checkpoint.file)
      ? "; the checkpoint from before is kept, --resume goes on from it with another --lr"
      : "";
  return new NetpareError(
    "diverged",
    `training diverged at step ${before.step} (epoch ${epoch}): ${what}${where}; try a lower --lr (now ${lr}), --warmup 1${clip === 0 ? ", --clip 1" : ""}, or check the preprocessing${kept}`,
  );
}
