/** Trains a network: builds the step, hands it to a worker, and puts the trained parameters back into the graph. */
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { logitsOf } from "../autodiff/losses.ts";
import { buildTrainingStep, type TrainingStep } from "../autodiff/training-step.ts";
import { type Split, shareImages } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { feeds, type Graph } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import type { TrainingRecipe } from "../methods/define-method.ts";
import { encodeModel } from "../onnx/index.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fingerprintOf } from "./checkpoint.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { estimateEnergy, type TrainingEnergy } from "./energy.ts";
import { type MemoryDecision, planWithin } from "./memory-budget.ts";
import { residentBytes } from "./resident-memory.ts";
import { shareTensor } from "./shared-tensor.ts";
import {
  runTraining,
  type TrainingJob,
  type TrainingOutcome,
  type TrainingPoint,
  type TrainingProgress,
} from "./train-loop.ts";
import type { TrainingMessage } from "./train-worker.ts";
import type { TrainingOptions } from "./training-options.ts";

/** What a network is trained on. */
export interface TrainingData {
  readonly train: Split;
  readonly validation?: Split | undefined;
  readonly classes: number;
  /** `(C, H, W)` of the stored images. */
  readonly storedShape: readonly [number, number, number];
  readonly preprocessing: Preprocessing;
}

export interface TrainRequest {
  readonly options: TrainingOptions;
  readonly recipe?: TrainingRecipe | undefined;
  /** Where the state is saved now and then; with `resume` the training goes on from there. */
  readonly checkpoint?: { readonly file: string; readonly resume: boolean } | undefined;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Hears in a line where the training departs from the options. */
  readonly onNote?: (note: string) => void;
  /** Aborting lets the step end, saves the checkpoint, and returns what was reached. */
  readonly signal?: AbortSignal | undefined;
  /** Runs on the calling thread, without a worker. */
  readonly inline?: boolean;
  /** Folder of the machine's energy counters; Linux's own where left out. */
  readonly powercap?: string | undefined;
}

export interface Trained {
  readonly graph: Graph;
  /** The network at the end of each cycle, in order, where the options keep snapshots; none otherwise. */
  readonly snapshots: readonly Graph[];
  readonly curve: readonly TrainingPoint[];
  readonly steps: number;
  /** Epochs done. */
  readonly epochs: number;
  /** The epoch whose parameters were selected, where the best of them were asked for. */
  readonly best: TrainingOutcome["best"];
  /** Whether it was stopped before its end. */
  readonly stopped: boolean;
  readonly seconds: number;
  /** Most resident bytes of the process while it trained. */
  readonly peakMemoryBytes: number;
  /** What keeps the training within its memory budget; null where there is none. */
  readonly memory: MemoryDecision | null;
  /** Of all steps; null where no counter was readable and not all of a step's operations could be counted. */
  readonly energy: TrainingEnergy | null;
}

/**
 * Trains `graph` on `data`.
 * @throws NetpareError `diverged`, `bad-option` where options exclude each other, or where model and data do not fit.
 */
export async function trainModel(graph: Graph, data: TrainingData, request: TrainRequest): Promise<Trained> {
  checkOptions(request.options, data);
  const options = fitBatch(request.options, data.train.length, request.onNote);
  const channels = data.preprocessing.channels === "grey" ? 1 : 3;
  const step = buildTrainingStep(graph, {
    batch: options.batch,
    classes: data.classes,
    imageShape: [channels, data.storedShape[1], data.storedShape[2]],
    optimizer: options,
    average: options.ema > 0,
    objective: request.recipe ?? { terms: [] },
  });
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const onAbort = () => Atomics.store(stop, 0, 1);
  if (request.signal?.aborted) onAbort();
  request.signal?.addEventListener("abort", onAbort);
  try {
    const whole = buildJob(graph, step, data, { ...request, options }, stop);
    const { memoryBudget, memoryPolicy } = options;
    const plan = memoryBudget && planWithin(step, memoryBudget, memoryPolicy, await settledBytes());
    const job: TrainingJob = { ...whole, step: { ...whole.step, planned: plan ? plan.planned : undefined } };
    const onProgress = request.onProgress ?? (() => {});
    const outcome = request.inline ? await runTraining(job, onProgress) : await runInWorker(job, onProgress);
    const { parameters, snapshots, joules: _, ...told } = outcome;
    const snapshotGraphs = snapshots.map((snapshot) => withParameters(graph, snapshot));
    return {
      ...told,
      graph: withParameters(graph, parameters),
      snapshots: snapshotGraphs,
      memory: plan ? plan.decision : null,
      energy: energyOf(step, options.batch, outcome),
    };
  } finally {
    request.signal?.removeEventListener("abort", onAbort);
  }
}

/** Resident bytes without what is garbage already, which is freed in the background. */
async function settledBytes(): Promise<number> {
  collectGarbage();
  await setTimeout(100);
  return residentBytes();
}

/** What the counters read, else a step's estimate times the steps. */
function energyOf(
  step: TrainingStep,
  batch: number,
  { joules, steps }: Pick<TrainingOutcome, "joules" | "steps">,
): TrainingEnergy | null {
  const told = (source: TrainingEnergy["source"], joulesPerStep: number): TrainingEnergy => ({
    source,
    joules: joulesPerStep * steps,
    joulesPerStep,
    joulesPerImage: joulesPerStep / batch,
  });
  if (joules !== undefined && joules > 0 && steps > 0) return told("powercap", joules / steps);
  const estimate = estimateEnergy(step.graph);
  return estimate ? told("estimate", estimate.joules) : null;
}

function checkOptions({ select, snapshots, schedule }: TrainingOptions, { validation }: TrainingData): void {
  if (select === "best" && validation === undefined)
    throw new NetpareError(
      "bad-option",
      "the best epoch is told by a validation split and there is none; give --validation, such as 0.1, or select the last",
    );
  if (snapshots && schedule !== "cyclic")
    throw new NetpareError(
      "bad-option",
      `snapshots are taken at the end of cycles and the schedule is ${schedule}; choose the schedule cyclic`,
    );
}

/** The options with a batch of no more images than there are. */
function fitBatch(options: TrainingOptions, images: number, note: TrainRequest["onNote"]): TrainingOptions {
  if (images === 0) throw new NetpareError("bad-data", "the training split holds no image; at least one is needed");
  if (options.batch <= images) return options;
  note?.(`the training split has ${images} images: a batch holds these instead of ${options.batch}`);
  return { ...options, batch: images };
}

function withParameters(graph: Graph, parameters: ReadonlyMap<string, Tensor>): Graph {
  const initializers = new Map([...graph.initializers].map(([name, t]) => [name, parameters.get(name) ?? t]));
  return { ...graph, initializers };
}

function buildJob(
  graph: Graph,
  step: TrainingStep,
  data: TrainingData,
  request: TrainRequest,
  stop: Int32Array,
): TrainingJob {
  const model = encodeModel(step.graph);
  const { checkpoint, options } = request;
  const images = step.graph.inputs.find((input) => input.name === step.images)!;
  return {
    step: {
      model,
      images: step.images,
      imageDims: images.shape as readonly number[],
      noisy: step.noisy,
      states: shareStates(step.states),
      gradients: step.gradients,
      loss: step.loss,
      correct: step.correct,
      planned: undefined,
    },
    forward: forwardModel(graph, step),
    train: shareSplit(data.train),
    validation: data.validation && shareSplit(data.validation),
    classes: data.classes,
    storedShape: data.storedShape,
    preprocessing: data.preprocessing,
    options,
    checkpoint: checkpoint && {
      ...checkpoint,
      fingerprint: fingerprintOf(
        model,
        // Another learning rate is another course of the same training, and a way out where it diverged.
        JSON.stringify([{ ...options, lr: undefined }, data.preprocessing, data.train.length, initialDigest(step)]),
      ),
    },
    powercap: request.powercap,
    helper: request.inline !== true,
    stop,
  };
}

const initialDigest = (step: TrainingStep) =>
  fingerprintOf(
    ...[...step.states.values()].map(
      ({ initial }) =>
        new Uint8Array(initial.data.buffer as ArrayBuffer, initial.data.byteOffset, initial.data.byteLength),
    ),
  );

/** The network up to its scores, with what is trained as inputs. */
function forwardModel(graph: Graph, step: TrainingStep): TrainingJob["forward"] {
  const scores = logitsOf(graph).name;
  const trained = new Set(step.trained);
  const parameters = step.trained.map((name) => ({
    name,
    dtype: "float32" as const,
    shape: graph.initializers.get(name)!.shape,
  }));
  const others = graph.inputs.filter((input) => !trained.has(input.name));
  const forward = removeDead({
    ...graph,
    inputs: [...others, ...parameters],
    outputs: [{ name: scores, dtype: "float32", shape: undefined }],
    initializers: new Map([...graph.initializers].filter(([name]) => !trained.has(name))),
  });
  return { model: encodeModel(forward), images: feeds(graph)[0]!.name, scores, kept: step.kept };
}

/** States that begin in memory which a worker shares. */
const shareStates = (states: TrainingStep["states"]): TrainingStep["states"] =>
  new Map([...states].map(([name, state]) => [name, { ...state, initial: shareTensor(state.initial) }]));

const shareSplit = (split: Split): Split => ({ ...split, images: shareImages(split.images) });

/** Sources run from .ts files only under a test runner, whose workers cannot; they use the built worker. */
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/engine/train-worker.js" : "./train-worker.js",
  import.meta.url,
);

function runInWorker(job: TrainingJob, onProgress: (progress: TrainingProgress) => void): Promise<TrainingOutcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl, { workerData: job });
    worker.on("message", (message: TrainingMessage) => {
      if (message.kind === "progress") onProgress(message.progress);
      else if (message.kind === "done") resolve(message.outcome);
      else if (message.code !== undefined) reject(new NetpareError(message.code, message.message));
      else reject(Object.assign(new Error(message.message), { stack: message.stack }));
    });
    worker.on("error", reject);
    worker.on("exit", (code) =>
      reject(new Error(`internal: the training worker ended with ${code} before it was done`)),
    );
  });
}
