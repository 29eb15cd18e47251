/**
 * Hands a training its batches, and has a helper fill those to come while the step runs, where that pays: the share of the time
 * that filling takes is watched over the first steps. The helper is a worker that fills slots of shared memory, a few steps
 * ahead; onnxruntime takes no shared memory, so a batch is copied out. A batch that the helper has not ready is filled on the
 * spot: nobody ever waits for it, and what a batch holds never depends on who filled it.
 *
 * Signals: [0] is the first step that is still wanted; [1 + slot] is 1 + the step whose batch lies in the slot.
 */
import { Worker } from "node:worker_threads";
import { type Batch, type BatchTask, createBatchSource, emptyBatch } from "./batch-source.ts";
import { shareTensor } from "./shared-tensor.ts";

/** What the helper works on. */
export interface FillJob {
  readonly task: BatchTask;
  readonly slots: readonly Batch[];
  readonly signals: Int32Array;
}

export interface BatchFeed {
  /** The batch of step `t`, which stands until the next call. */
  at(t: number): Batch;
  /** Whether the helper has the batch of step `t` ready. */
  has(t: number): boolean;
  close(): Promise<void>;
}

export interface BatchFeedOptions {
  /** Whether there is a helper: never, from the start, or where it pays. */
  readonly helper: "never" | "always" | "where it pays";
}

const slotCount = 3;
const watchedSteps = 16;

/** The least share of a step's time for which a helper is started. */
const worthwhileShare = 0.02;

/** Opens the feed of a training. */
export function openBatchFeed(task: BatchTask, { helper }: BatchFeedOptions): BatchFeed {
  const fill = createBatchSource(task);
  const batch = emptyBatch(task);
  let ahead = helper === "always" ? startHelper(task, 0) : undefined;
  const pays = helper === "where it pays" ? watchShare() : undefined;
  // The slot of a step that is no longer wanted may be written to.
  const has = (t: number) =>
    ahead !== undefined && t >= Atomics.load(ahead.signals, 0) && Atomics.load(ahead.signals, slotOf(t)) === t + 1;
  return {
    has,
    at(t) {
      if (ahead !== undefined && has(t)) {
        copyBatch(ahead.slots[t % slotCount]!, batch);
        want(ahead.signals, t + 1);
        return batch;
      }
      if (ahead !== undefined) want(ahead.signals, t + 1);
      const begun = performance.now();
      fill(t, batch);
      if (ahead === undefined && pays?.(begun, performance.now())) ahead = startHelper(task, t + 1);
      return batch;
    },
    async close() {
      await ahead?.worker.terminate();
    },
  };
}

/** A function that is told when each filling began and ended, and says yes once if they turn out to be worth a helper. */
function watchShare(): (begun: number, ended: number) => boolean {
  let [first, filling, calls] = [0, 0, 0];
  return (begun, ended) => {
    calls++;
    // The first step loads and allocates.
    if (calls === 2) first = begun;
    if (calls < 2 || calls > watchedSteps) return false;
    filling += ended - begun;
    return calls === watchedSteps && filling > worthwhileShare * (ended - first);
  };
}

/** Where in the signals the slot of step `t` is. */
export const slotOf = (t: number): number => 1 + (t % slotCount);

function want(signals: Int32Array, t: number): void {
  if (Atomics.load(signals, 0) >= t) return;
  Atomics.store(signals, 0, t);
  Atomics.notify(signals, 0);
}

/** Sources run from .ts files only under a test runner, whose workers cannot; they use the built worker. */
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/engine/batch-worker.js" : "./batch-worker.js",
  import.meta.url,
);

function startHelper(task: BatchTask, from: number): FillJob & { readonly worker: Worker } {
  const signals = new Int32Array(new SharedArrayBuffer(4 * (1 + slotCount)));
  signals[0] = from;
  const slots = Array.from({ length: slotCount }, () => sharedBatch(task));
  const job: FillJob = { task, slots, signals };
  const worker = new Worker(workerUrl, { workerData: job });
  // Without it batches are filled on the spot.
  worker.on("error", () => {});
  worker.unref();
  return { ...job, worker };
}

function sharedBatch(task: BatchTask): Batch {
  const { images, targets, noise } = emptyBatch(task);
  return { images: shareTensor(images), targets: shareTensor(targets), noise: noise && shareTensor(noise) };
}

function copyBatch(from: Batch, to: Batch): void {
  to.images.data.set(from.images.data);
  to.targets.data.set(from.targets.data);
  if (from.noise) to.noise?.data.set(from.noise.data);
}

/** The helper's work: fills the batches of the steps that are wanted next, as far ahead as there are slots; it never ends. */
export function fillAhead({ task, slots, signals }: FillJob): void {
  const fill = createBatchSource(task);
  for (let t = Atomics.load(signals, 0); ; t++) {
    let wanted = Atomics.load(signals, 0);
    while (t >= wanted + slotCount) {
      Atomics.wait(signals, 0, wanted);
      wanted = Atomics.load(signals, 0);
    }
    t = Math.max(t, wanted);
    fill(t, slots[t % slotCount]!);
    Atomics.store(signals, slotOf(t), t + 1);
  }
}
