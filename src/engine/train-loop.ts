/**
 * The training loop: feeds a step graph with batches and carries its states. Runs in a worker, because onnxruntime blocks the
 * thread it is called on. All randomness of step t comes from the seed and t, so that a loop resumed from a checkpoint takes
 * the very steps that the first would have taken.
 */
import { stepNames } from "../autodiff/training-step.ts";
import { createBatcher } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { NetpareError } from "../tensor/error.ts";
import { createRandom, type Random } from "../tensor/random.ts";
import { type Tensor, tensor, tensorOf } from "../tensor/tensor.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { openEnergyMeter } from "./energy.ts";
import { averageDecay, endsCycle, learningRate } from "./schedule.ts";
import { openSession, type Session } from "./session.ts";
import type { TrainingOptions } from "./training-options.ts";

/** Everything a loop needs, as plain data that can be sent to a worker. */
export interface TrainingJob {
  readonly step: {
    readonly model: Uint8Array;
    readonly images: string;
    readonly imageDims: readonly number[];
    readonly noisy: boolean;
    readonly states: ReadonlyMap<string, { readonly initial: Tensor; readonly next: string }>;
    readonly loss: string;
    readonly correct: string;
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
  readonly stopped: boolean;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  /** By the machine's counters; undefined where they were not readable from the first step to the last. */
  readonly joules: number | undefined;
}

const checkpointEverySeconds = 20;
const progressEverySeconds = 0.5;

/**
 * Runs a training to its end, or until it is told to stop.
 * @throws NetpareError `diverged` where the loss stops being a number.
 */
export async function runTraining(
  job: TrainingJob,
  onProgress: (progress: TrainingProgress) => void,
): Promise<TrainingOutcome> {
  const { options, step } = job;
  const stepsPerEpoch = Math.floor(job.train.length / options.batch);
  if (stepsPerEpoch === 0)
    throw new NetpareError(
      "bad-data",
      `the training split has ${job.train.length} images, fewer than a batch of ${options.batch}; lower --batch`,
    );
  const steps = Math.max(1, Math.round(options.epochs * stepsPerEpoch));
  const session = await openSession(step.model, { threads: options.threads });
  const forward = job.validation ? await openSession(job.forward.model, { threads: options.threads }) : undefined;
  const root = createRandom(options.seed);
  const draw = createDraw(job, root, stepsPerEpoch);

  const start = resumeFrom(job);
  let states: ReadonlyMap<string, Tensor> = start.states;
  const curve = [...start.curve];
  const snapshots = [...start.snapshots];
  const wanted = [step.loss, step.correct, ...[...job.step.states.values()].map((state) => state.next)];
  const begun = performance.now();
  let epochLoss = start.epochLoss;
  let epochCorrect = start.epochCorrect;
  let lastReport = begun;
  let lastCheckpoint = begun;
  let t = start.step;
  const meter = openEnergyMeter({ root: job.powercap });
  const joules = () => {
    const read = meter?.read();
    return read === undefined || start.joules === undefined ? undefined : start.joules + read;
  };
  const save = async () => {
    // Read even where nothing is saved: a counter must not start over twice between two readings.
    const joulesSoFar = joules();
    if (job.checkpoint === undefined) return;
    await writeCheckpoint(job.checkpoint.file, {
      fingerprint: job.checkpoint.fingerprint,
      step: t,
      states,
      curve,
      epochLoss,
      epochCorrect,
      seconds: seconds(),
      joules: joulesSoFar,
      snapshots,
    });
  };
  const seconds = () => start.seconds + (performance.now() - begun) / 1000;

  while (t < steps && Atomics.load(job.stop, 0) === 0) {
    const lr = learningRate(options, t, steps, stepsPerEpoch);
    const outputs = await session.run(feedsOf(job, states, draw(t), t, lr), wanted);
    const loss = (outputs.get(step.loss)!.data as Float32Array)[0]!;
    if (!Number.isFinite(loss)) throw diverged(loss, t, stepsPerEpoch, options);
    states = new Map([...step.states].map(([name, state]) => [name, outputs.get(state.next)!]));
    epochLoss += loss;
    epochCorrect += (outputs.get(step.correct)!.data as Float32Array)[0]!;
    t++;
    if (options.snapshots && endsCycle(options, t, steps, stepsPerEpoch)) snapshots.push(parametersOf(job, states));
    const inEpoch = ((t - 1) % stepsPerEpoch) + 1;
    const epochEnd = inEpoch === stepsPerEpoch || t === steps;
    const now = performance.now();
    if (epochEnd || now - lastReport > progressEverySeconds * 1000) {
      lastReport = now;
      const validationAccuracy =
        epochEnd && forward && job.validation ? await validate(job, forward, states, job.validation) : null;
      const rate = (t - start.step) / ((now - begun) / 1000);
      const point: TrainingPoint = {
        epoch: t / stepsPerEpoch,
        loss: epochLoss / inEpoch,
        accuracy: epochCorrect / (inEpoch * options.batch),
        validationAccuracy,
        learningRate: lr,
        imagesPerSecond: rate * options.batch,
      };
      if (epochEnd) {
        curve.push(point);
        epochLoss = 0;
        epochCorrect = 0;
      }
      onProgress({ ...point, epochs: options.epochs, step: t, steps, secondsLeft: (steps - t) / rate, epochEnd });
    }
    if (now - lastCheckpoint > checkpointEverySeconds * 1000) {
      lastCheckpoint = now;
      await save();
    }
  }
  await save();
  await session.release();
  await forward?.release();
  return {
    parameters: parametersOf(job, states),
    snapshots,
    curve,
    steps: t,
    stopped: t < steps,
    seconds: seconds(),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    joules: joules(),
  };
}

function resumeFrom(job: TrainingJob): Omit<Checkpoint, "fingerprint"> {
  const found = job.checkpoint?.resume ? readCheckpoint(job.checkpoint.file, job.checkpoint.fingerprint) : undefined;
  if (found !== undefined) return found;
  const states = new Map([...job.step.states].map(([name, state]) => [name, state.initial]));
  return { step: 0, states, curve: [], epochLoss: 0, epochCorrect: 0, seconds: 0, joules: 0, snapshots: [] };
}

/** The network's parameters, or their averages, among the states. */
function parametersOf(job: TrainingJob, states: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...job.forward.kept].map(([name, state]) => [name, states.get(state)!]));
}

interface Batch {
  readonly images: Tensor;
  readonly targets: Tensor;
  readonly noise: Tensor | undefined;
}

/** Returns the function that fills the batch of step `t`; the same buffers are filled each time. */
function createDraw(job: TrainingJob, root: Random, stepsPerEpoch: number): (t: number) => Batch {
  const { options, step, classes } = job;
  const [channels, height, width] = job.storedShape;
  const batcher = createBatcher(job.train, {
    channels,
    height,
    width,
    preprocessing: job.preprocessing,
    augmentation: options.augmentation,
    mixLabels: { classes, smoothing: options.labelSmoothing, mixup: options.mixup },
  });
  const images = tensor("float32", step.imageDims);
  const targets = tensor("float32", [options.batch, classes]);
  const noise = step.noisy ? tensor("float32", [options.batch]) : undefined;
  const orders = root.fork(0);
  const draws = root.fork(1);
  let epoch = -1;
  let order = new Uint32Array(0);
  return (t) => {
    const wantedEpoch = Math.floor(t / stepsPerEpoch);
    if (wantedEpoch !== epoch) {
      epoch = wantedEpoch;
      order = Uint32Array.from(orders.fork(epoch).permutation(job.train.length));
    }
    const at = (t % stepsPerEpoch) * options.batch;
    const random = draws.fork(t);
    batcher.fill(order.subarray(at, at + options.batch), random, images.data, targets.data);
    if (noise) for (let i = 0; i < noise.data.length; i++) noise.data[i] = 100 + 1000 * random.uniform();
    return { images, targets, noise };
  };
}

function feedsOf(
  job: TrainingJob,
  states: ReadonlyMap<string, Tensor>,
  batch: Batch,
  t: number,
  lr: number,
): Map<string, Tensor> {
  const feeds = new Map(states);
  feeds.set(job.step.images, batch.images);
  feeds.set(stepNames.targets, batch.targets);
  feeds.set(stepNames.lr, tensorOf("float32", [], [lr]));
  if (job.options.ema > 0) feeds.set(stepNames.averageDecay, tensorOf("float32", [], [averageDecay(job.options, t)]));
  if (batch.noise) feeds.set(stepNames.noise, batch.noise);
  return feeds;
}

/** Share of `split` that the network gets right with the parameters as they stand. */
async function validate(
  job: TrainingJob,
  session: Session,
  states: ReadonlyMap<string, Tensor>,
  split: Split,
): Promise<number> {
  const [channels, height, width] = job.storedShape;
  const batcher = createBatcher(split, { channels, height, width, preprocessing: job.preprocessing });
  const [fixedBatch, ...imageDims] = job.step.imageDims;
  const batch = fixedBatch!;
  const labels = new Int32Array(batch);
  const parameters = parametersOf(job, states);
  let correct = 0;
  for (let at = 0; at < split.length; at += batch) {
    const n = Math.min(batch, split.length - at);
    const images = tensor("float32", [n, ...imageDims]);
    batcher.fill(
      Uint32Array.from({ length: n }, (_, i) => at + i),
      null,
      images.data,
      labels,
    );
    const outputs = await session.run(new Map([...parameters, [job.forward.images, images]]), [job.forward.scores]);
    const scores = outputs.get(job.forward.scores)!.data as Float32Array;
    for (let i = 0; i < n; i++) if (argMax(scores, i * job.classes, job.classes) === labels[i]) correct++;
  }
  return correct / split.length;
}

/** Position of the largest of `length` values from `from`, counted from there. */
export function argMax(values: ArrayLike<number>, from: number, length: number): number {
  let best = 0;
  for (let k = 1; k < length; k++) if (values[from + k]! > values[from + best]!) best = k;
  return best;
}

function diverged(loss: number, t: number, stepsPerEpoch: number, options: TrainingOptions): NetpareError {
  const epoch = (t / stepsPerEpoch).toFixed(2);
  return new NetpareError(
    "diverged",
    `training diverged at step ${t} (epoch ${epoch}): the loss is ${loss}; try a lower --lr (now ${options.lr}), --warmup 1, or check the preprocessing`,
  );
}
