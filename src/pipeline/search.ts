/**
 * How far may a network be pared under an accuracy budget? The search behind `optimize`.
 *
 * A trial removes blocks or channels down to a share of the cost, fine-tunes briefly with soft targets from the original,
 * quantizes, and is judged on validation images held out of the training split; the test split is never touched. Its loss is
 * counted against a control, the unpruned network after the same short training: a network trained elsewhere has seen the
 * validation images, and control and trial forget them alike. The final, longer training wins back a part; `recovery` is the
 * part expected to stay. Each way is tried once at six tenths of the cost, the one that gains most for its loss is bisected.
 */
import { z } from "zod";
import { analyzeCost } from "../analysis/cost.ts";
import { evaluateModel } from "../engine/evaluate.ts";
import { measureLatency } from "../engine/measure.ts";
import { type TrainingOptions, trainingSchema } from "../engine/training-options.ts";
import type { Graph } from "../graph/graph.ts";
import { decodeModel, encodeModel } from "../onnx/index.ts";
import type { Trial } from "../report/schema.ts";
import { NetpareError } from "../tensor/error.ts";
import { applyMethod, type Execution, softTargets, trainStage } from "./execute.ts";
import { measurableBatches } from "./measure-run.ts";
import { stopIfAsked } from "./progress.ts";
import type { StageRecipe } from "./recipe.ts";
import { imageFormatOf } from "./run-data.ts";

export const searchSchema = z.strictObject({
  objective: z.enum(["size", "latency", "macs"]).default("latency").describe("what is to become small"),
  trials: z.number().int().min(1).max(12).default(3).describe("settings that are tried"),
  probeEpochs: z.number().positive().default(0.25).describe("epochs of fine-tuning in a trial"),
  epochs: z.number().positive().default(16).describe("epochs of the final fine-tuning"),
  recovery: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("share of a trial's loss that is expected to stay after the final fine-tuning"),
  lr: z.number().positive().default(0.02).describe("peak learning rate of fine-tuning"),
  batch: z.number().int().positive().default(64).describe("images a step"),
  threads: z.number().int().positive().default(2).describe("threads of training"),
});

export type SearchOptions = z.output<typeof searchSchema>;

/** What one setting came to: accuracy on the validation split, and the quantized file's bytes, MACs and latency. */
const probedSchema = z.object({
  accuracy: z.number(),
  fileBytes: z.number(),
  macs: z.number(),
  latencyMs: z.number(),
  /** The original's median over this one's, measured in alternation. */
  speedup: z.number(),
});
type Probed = z.output<typeof probedSchema>;

/** A way of removing, and the share of the cost that it keeps. */
interface Setting {
  readonly method: string;
  readonly share: number;
}

/** What the search keeps on disk after every trial. */
const stateSchema = z.object({
  control: probedSchema.nullable(),
  trials: z.array(probedSchema.extend({ method: z.string(), share: z.number() })),
  /** What cannot be reached in this network, and why. */
  unmet: z.array(z.object({ method: z.string(), share: z.number(), reason: z.string() })),
});
type State = z.output<typeof stateSchema>;
type ShareTrial = State["trials"][number];

/** What the search decided: the stages of the run, and all that was tried on the way. */
export interface SearchResult {
  readonly stages: readonly StageRecipe[];
  readonly trials: readonly Trial[];
}

/** The ways of removing that are tried. */
const ways = ["prune-blocks", "prune-channels"];
const firstShare = 0.6;
const furtherBy = 0.7;
/** Shares nearer to each other than this are not told apart. */
const finestShare = 0.05;

/**
 * Finds how far the original may be pared so that no more than `maxDrop` of accuracy is expected to be lost.
 * Resumable: a trial that is recorded in search.json is not run again.
 */
export async function searchStages(
  execution: Execution,
  original: Graph,
  maxDrop: number,
  options: SearchOptions,
): Promise<SearchResult> {
  const { folder, reporter } = execution;
  let state: State = folder.has("search.json")
    ? stateSchema.parse(folder.readJson("search.json"))
    : { control: null, trials: [], unmet: [] };
  const keep = async (change: Partial<State>) => {
    state = { ...state, ...change };
    await folder.write("search.json", JSON.stringify(state, null, 1));
  };
  if (state.control === null) {
    reporter.note("control: fine-tuning the unpruned network as the trials will be");
    await keep({ control: await probe(execution, original, undefined, options) });
  }
  const control = state.control!;
  const budget = maxDrop / options.recovery;
  while (state.trials.length < options.trials) {
    const next = nextTrial(state, control, budget, options);
    if (next === undefined) break;
    reporter.note(
      `trial ${state.trials.length + 1} of at most ${options.trials}: ${next.method} to ${Math.round(100 * next.share)} % of the ${costOf(options)}`,
    );
    try {
      const probed = await probe(execution, original, next, options);
      reporter.note(describeTrial(probed, control, budget, options));
      await keep({ trials: [...state.trials, { ...next, ...probed }] });
    } catch (error) {
      if (!(error instanceof NetpareError) || error.code !== "bad-option") throw error;
      reporter.note(`  not possible: ${error.message}`);
      await keep({ unmet: [...state.unmet, { ...next, reason: error.message }] });
    }
  }
  const chosen = bestWithin(state.trials, control, budget, options);
  const trials = state.trials.map((trial) => ({
    method: trial.method,
    params: paramsOf(trial, options),
    validationAccuracy: trial.accuracy,
    fileBytes: trial.fileBytes,
    macs: trial.macs,
    latencyMs: trial.latencyMs,
    kept: trial === chosen,
  }));
  return { stages: finalStages(chosen, options), trials };
}

/** Every way once at the first share; then the more rewarding one, further while it holds and bisected once it does not. */
function nextTrial(
  { trials, unmet }: State,
  control: Probed,
  budget: number,
  options: SearchOptions,
): Setting | undefined {
  const known = [...trials, ...unmet];
  const untried = ways.find((method) => !known.some((setting) => setting.method === method));
  if (untried !== undefined) return { method: untried, share: firstShare };
  const first = trials.filter((trial) => trial.share === firstShare);
  const best = first.toSorted((a, b) => reward(b, control, options) - reward(a, control, options))[0];
  if (best === undefined) return undefined;
  const own = trials.filter((trial) => trial.method === best.method && control.accuracy - trial.accuracy <= budget);
  const within = Math.min(1, ...own.map(({ share }) => share));
  const below = known.filter(({ method, share }) => method === best.method && share < within);
  const beyond = Math.max(0, ...below.map(({ share }) => share));
  if (within - beyond <= finestShare) return undefined;
  return { method: best.method, share: beyond === 0 ? within * furtherBy : (within + beyond) / 2 };
}

/** What a trial gains in the objective, as a logarithm, for each point of accuracy it loses. */
function reward(trial: Probed, control: Probed, { objective }: SearchOptions): number {
  const gain = Math.log(objectives[objective](control) / objectives[objective](trial));
  return gain / Math.max(control.accuracy - trial.accuracy, 0.002);
}

/** What is to become small. */
const objectives: Record<SearchOptions["objective"], (probed: Probed) => number> = {
  size: (probed) => probed.fileBytes,
  latency: (probed) => 1 / probed.speedup,
  macs: (probed) => probed.macs,
};

function bestWithin(
  trials: readonly ShareTrial[],
  control: Probed,
  budget: number,
  { objective }: SearchOptions,
): ShareTrial | undefined {
  const within = trials.filter((trial) => control.accuracy - trial.accuracy <= budget);
  return within.toSorted((a, b) => objectives[objective](a) - objectives[objective](b))[0];
}

function describeTrial(probed: Probed, control: Probed, budget: number, { objective }: SearchOptions): string {
  const lost = control.accuracy - probed.accuracy;
  const gain = objectives[objective](control) / objectives[objective](probed);
  return `  ${(100 * lost).toFixed(2)} points behind the control, ${gain.toFixed(2)}x better in ${objective}: ${lost <= budget ? "within" : "beyond"} the budget`;
}

const costOf = ({ objective }: SearchOptions) => (objective === "size" ? "parameters" : "MACs");

const paramsOf = ({ share }: Setting, { objective }: SearchOptions) =>
  objective === "size" ? { parameters: share } : { macs: share };

const soft = { temperature: 4, alpha: 0.9, hints: 20 };

function finalStages(chosen: Setting | undefined, options: SearchOptions): StageRecipe[] {
  const quantize: StageRecipe = { method: "quantize-int8", params: {}, distill: false };
  if (chosen === undefined) return [quantize];
  const { seed: _, ...train } = trainingOf(options, options.epochs);
  return [{ method: chosen.method, params: paramsOf(chosen, options), train, distill: soft }, quantize];
}

const trainingOf = (options: SearchOptions, epochs: number): TrainingOptions =>
  trainingSchema.parse({
    epochs,
    lr: options.lr,
    batch: options.batch,
    threads: options.threads,
    augmentation: { flip: true, crop: 4 },
  });

/** Removes, fine-tunes briefly, quantizes, and judges on the validation split. */
async function probe(
  execution: Execution,
  original: Graph,
  setting: Setting | undefined,
  options: SearchOptions,
): Promise<Probed> {
  stopIfAsked(execution.signal);
  const { folder, data, recipe } = execution;
  const name = setting === undefined ? "search/control" : `search/${setting.method}-${setting.share.toFixed(3)}`;
  if (!folder.has(name, "graph.onnx")) {
    const stage = setting && { method: setting.method, params: paramsOf(setting, options), distill: soft };
    const pruned = stage === undefined ? original : (await applyMethod(execution, stage, original, original)).graph;
    const trained = await trainStage(
      execution,
      pruned,
      name,
      trainingOf(options, options.probeEpochs),
      await softTargets({ distill: soft }, original),
    );
    await folder.write(`${name}/graph.onnx`, encodeModel(trained.graph));
  }
  const tuned = decodeModel(folder.read(name, "graph.onnx"));
  const { graph } = await applyMethod(
    execution,
    { method: "quantize-int8", params: {}, distill: false },
    tuned,
    original,
  );
  const bytes = encodeModel(graph);
  const judged = await evaluateModel(graph, data.validation ?? data.train, {
    ...imageFormatOf(tuned, data.dataset),
    threads: options.threads,
  });
  const [before, now] = await measureLatency(
    [
      { name: "original", model: encodeModel(original) },
      { name, model: bytes },
    ],
    {
      batches: measurableBatches([original], recipe).slice(0, 1),
      threads: recipe.measure.threads,
      runs: recipe.measure.runs,
    },
  );
  return {
    accuracy: judged.top1,
    fileBytes: bytes.length,
    macs: analyzeCost(tuned).macs,
    latencyMs: now!.median,
    speedup: before!.median / now!.median,
  };
}
