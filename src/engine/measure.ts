/**
 * Time and memory of models, as onnxruntime runs them.
 * Latency: after a warm-up, the models take turns in one process, each turn begun by another of them, so that what disturbs the
 * machine disturbs all alike; a ratio of medians taken so is worth more than two runs one after the other.
 * Memory: the peak resident set of a fresh process that loads the file and runs it.
 */
import { execFile } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { feeds, type Graph } from "../graph/graph.ts";
import { decodeModel } from "../onnx/index.ts";
import { NetpareError } from "../tensor/error.ts";
import { createRandom } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensor, tensorOf } from "../tensor/tensor.ts";
import { createBreath } from "./breath.ts";
import { openModel, readAnyModel } from "./open-model.ts";
import { engineVersion, type Session } from "./session.ts";

/** The machine that measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly onnxruntime: string;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    onnxruntime: engineVersion,
  };
}

/** A model to be timed: a graph, the bytes of a model file, or the path of one. */
export interface TimedModel {
  readonly name: string;
  readonly model: Graph | Uint8Array | string;
}

export interface LatencyOptions {
  readonly batches: readonly number[];
  /** Threads within an operator; 1 where left out. */
  readonly threads?: number | undefined;
  /** Timed runs of each model at each batch; as many as fit about 2 seconds a model (20 to 500) where left out. */
  readonly runs?: number | undefined;
  /** Seed of the input; 1 where left out. */
  readonly seed?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Times of one model at one batch in milliseconds. */
export interface LatencyResult {
  readonly model: string;
  readonly batch: number;
  readonly threads: number;
  readonly runs: number;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

interface Runner {
  readonly name: string;
  readonly session: Session;
  readonly feeds: Map<string, Tensor>;
  readonly times: number[];
}

const warmups = 5;
const secondsPerModel = 2;

/**
 * Times `models` in alternation, batch by batch, and returns a result for each model and batch, models in the given order.
 * @throws NetpareError `bad-option` where a model fixes another batch size, `bad-shape` where its input is open otherwise.
 */
export async function measureLatency(
  models: readonly TimedModel[],
  options: LatencyOptions,
): Promise<readonly LatencyResult[]> {
  const threads = options.threads ?? 1;
  const results: LatencyResult[] = [];
  for (const [index, batch] of options.batches.entries()) {
    const runners: Runner[] = [];
    try {
      for (const { name, model } of models) {
        const inputs = randomFeeds(await graphOf(model), name, batch, options.seed ?? 1);
        runners.push({ name, session: await openModel(model, { threads }), feeds: inputs, times: [] });
      }
      const share = (done: number) => options.onProgress?.(index + done, options.batches.length);
      await timeInTurns(runners, options, share);
    } finally {
      for (const { session } of runners) await session.release();
    }
    for (const { name, times } of runners) results.push({ model: name, batch, threads, ...summarize(times) });
  }
  return models.flatMap((_, i) => results.filter((_, j) => j % models.length === i));
}

async function timeInTurns(
  runners: readonly Runner[],
  options: LatencyOptions,
  onShare: (share: number) => void,
): Promise<void> {
  const turn = async ({ session, feeds: inputs }: Runner) => {
    const begun = performance.now();
    await session.run(inputs);
    return performance.now() - begun;
  };
  let slowest = 0;
  for (const runner of runners) {
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < warmups; i++) fastest = Math.min(fastest, await turn(runner));
    slowest = Math.max(slowest, fastest);
  }
  const runs = options.runs ?? Math.round(Math.min(500, Math.max(20, (secondsPerModel * 1000) / slowest)));
  const breath = createBreath();
  for (let run = 0; run < runs && !options.signal?.aborted; run++) {
    for (let i = 0; i < runners.length; i++) {
      const runner = runners[(run + i) % runners.length]!;
      runner.times.push(await turn(runner));
    }
    onShare((run + 1) / runs);
    await breath();
  }
  onShare(1);
}

/** The graph of a model to be timed. */
export async function graphOf(model: TimedModel["model"]): Promise<Graph> {
  if (typeof model === "string") return readAnyModel(model);
  return model instanceof Uint8Array ? decodeModel(model) : model;
}

/** Random inputs of a model at `batch`. @throws NetpareError as `measureLatency`. */
export function randomFeeds(graph: Graph, name: string, batch: number, seed: number): Map<string, Tensor> {
  const random = createRandom(seed);
  return new Map(
    inputShapes(graph, name, batch).map(({ input, dtype, shape }): [string, Tensor] => {
      if (dtype !== "float32") return [input, tensor(dtype, shape)];
      const values = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
      return [input, tensorOf("float32", shape, values)];
    }),
  );
}

/**
 * The inputs of a model at `batch`.
 * @throws NetpareError `bad-option` where the model fixes another batch size, `bad-shape` where its input is open otherwise.
 */
export function inputShapes(graph: Graph, name: string, batch: number) {
  return feeds(graph).map(({ name: input, dtype, shape }) => {
    const dims = (shape ?? []).map((dim, axis) => (typeof dim === "string" && axis === 0 ? batch : dim));
    if (shape === undefined || !dims.every((dim) => typeof dim === "number"))
      throw new NetpareError(
        "bad-shape",
        `${name}: input '${input}' has shape [${shape ?? "?"}]; only its batch may be open`,
      );
    if (dims[0] !== batch)
      throw new NetpareError(
        "bad-option",
        `${name}: its batch is fixed to ${dims[0]}; measure it with --batch ${dims[0]}`,
      );
    return { input, dtype, shape: dims as readonly number[] };
  });
}

function summarize(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  return { runs: sorted.length, median: quantile(sorted, 0.5), p10: quantile(sorted, 0.1), p90: quantile(sorted, 0.9) };
}

/** The `q`-quantile of ascending values, interpolated between neighbours; NaN where there is none. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Sources run from .ts files only under a test runner; a plain Node process needs the built probe. */
const probe = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/engine/memory-probe.js" : "./memory-probe.js",
  import.meta.url,
);

/**
 * Peak resident bytes of a fresh process that loads the model file and runs it once at `batch` (1 where left out).
 * @throws NetpareError as `measureLatency`, or with the reason for which the process failed.
 */
export async function measurePeakMemory(file: string, options: { readonly batch?: number } = {}): Promise<number> {
  const shapes = inputShapes(await readAnyModel(file), file, options.batch ?? 1);
  const job = JSON.stringify({ file, inputs: shapes });
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(probe), job]);
    return Number(stdout);
  } catch (error) {
    const { stderr = "" } = error as { readonly stderr?: string };
    const reason = stderr.split("\n").find((line) => line.includes("Error")) ?? String(error).split("\n")[0];
    throw new NetpareError("bad-model", `${file}: measuring its memory failed: ${reason}`);
  }
}
