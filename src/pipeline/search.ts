/**
 * How far may a network be pared under an accuracy budget? The search behind `optimize`.
 *
 * Each trial removes a share of the channels, fine-tunes briefly with soft targets from the original, quantizes, and is judged
 * on validation images held out of the training split; the test split is never touched. What a trial loses is counted against a
 * control, the unpruned network put through the same short training: a network trained elsewhere has seen the validation images
 * and its own accuracy there is too good, while control and trial forget them alike. The longer training that follows wins back
 * part of a trial's loss; `recovery` is the part that is expected to stay.
 * Shares are tried by bisection; the smallest whose expected loss is within the budget is taken.
 */
import { z } from "zod";
import { analyzeCost } from "../analysis/cost.ts";
import { evaluateModel } from "../engine/evaluate.ts";
import { measureLatency } from "../engine/measure.ts";
import { type TrainingOptions, trainingSchema } from "../engine/training-options.ts";
import type { Graph } from "../graph/graph.ts";
import { decodeModel, encodeModel } from "../onnx/index.ts";
import { type Trial, trialSchema } from "../report/schema.ts";
import { applyMethod, type Execution, softTargets, trainStage } from "./execute.ts";
import { stopIfAsked } from "./progress.ts";
import type { StageRecipe } from "./recipe.ts";
import { imageFormatOf } from "./run-data.ts";

export const searchSchema = z.strictObject({
  objective: z.enum(["size", "latency", "macs"]).default("latency").describe("what is to become small"),
  trials: z.number().int().min(1).max(12).default(4).describe("settings that are tried"),
  probeEpochs: z.number().positive().default(1.5).describe("epochs of fine-tuning in a trial"),
  epochs: z.number().positive().default(12).describe("epochs of the final fine-tuning"),
  recovery: z
    .number()
    .min(0)
    .max(1)
    .default(0.4)
    .describe("share of a trial's loss that is expected to stay after the final fine-tuning"),
  lr: z.number().positive().default(0.04).describe("peak learning rate of fine-tuning"),
  batch: z.number().int().positive().default(64).describe("images a step"),
  threads: z.number().int().positive().default(2).describe("threads of training"),
});

export type SearchOptions = z.output<typeof searchSchema>;

/** What the search keeps on disk after every trial. */
const searchStateSchema = z.object({
  options: searchSchema,
  control: z.number().nullable(),
  trials: z.array(trialSchema.extend({ share: z.number() })),
});
type SearchState = z.output<typeof searchStateSchema>;
type ShareTrial = SearchState["trials"][number];

/** What the search decided: the stages of the run, and all that was tried on the way. */
export interface SearchResult {
  readonly stages: readonly StageRecipe[];
  readonly trials: readonly Trial[];
}

/** Shares nearer to each other than this are not told apart. */
const finestShare = 0.04;

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
  let state = readState(execution, options);
  const keep = (next: SearchState) => {
    state = next;
    folder.write("search.json", JSON.stringify(state, null, 1));
  };
  if (state.control === null) {
    reporter.note("control: fine-tuning the unpruned network as the trials will be");
    const { accuracy } = await probe(execution, original, 1, options);
    keep({ ...state, control: accuracy });
  }
  const budget = maxDrop / options.recovery;
  let [feasible, infeasible] = [1, 0];
  while (state.trials.length < options.trials || state.trials.length === 0) {
    [feasible, infeasible] = bounds(state.trials, state.control!, budget);
    if (feasible - infeasible < finestShare) break;
    const share = nextShare(feasible, infeasible);
    reporter.note(
      `trial ${state.trials.length + 1} of at most ${options.trials}: ${Math.round(100 * share)} % of the ${costOf(options)} kept`,
    );
    const { accuracy, ...measured } = await probe(execution, original, share, options);
    const kept = state.control! - accuracy <= budget;
    const lost = 100 * (state.control! - accuracy);
    reporter.note(`  ${lost.toFixed(2)} points behind the control: ${kept ? "within" : "beyond"} the budget`);
    keep({
      ...state,
      trials: [
        ...state.trials,
        {
          method: "prune-channels",
          params: pruneParams(share, options),
          share,
          validationAccuracy: accuracy,
          ...measured,
          kept,
        },
      ],
    });
  }
  [feasible] = bounds(state.trials, state.control!, budget);
  const chosen = state.trials.map((trial) => ({ ...trial, kept: trial.share === feasible }));
  return { stages: finalStages(feasible, options), trials: chosen.map(({ share: _, ...trial }) => trial) };
}

function readState({ folder }: Execution, options: SearchOptions): SearchState {
  if (!folder.has("search.json")) return { options, control: null, trials: [] };
  return searchStateSchema.parse(folder.readJson("search.json"));
}

/** The smallest share within the budget and the largest beyond it. */
function bounds(trials: readonly ShareTrial[], control: number, budget: number): [number, number] {
  const within = trials.filter((trial) => control - trial.validationAccuracy <= budget).map((trial) => trial.share);
  const feasible = Math.min(1, ...within);
  const beyond = trials.filter((trial) => control - trial.validationAccuracy > budget).map((trial) => trial.share);
  return [feasible, Math.max(0, ...beyond.filter((share) => share < feasible))];
}

/** Halves what is known to be possible until something is not, then bisects. */
function nextShare(feasible: number, infeasible: number): number {
  return infeasible === 0 ? feasible * 0.5 : (feasible + infeasible) / 2;
}

const costOf = ({ objective }: SearchOptions) => (objective === "size" ? "parameters" : "MACs");

const pruneParams = (share: number, { objective }: SearchOptions) =>
  objective === "size" ? { parameters: share } : { macs: share };

function finalStages(share: number, options: SearchOptions): StageRecipe[] {
  const distill = { temperature: 4, alpha: 0.9 };
  const quantize: StageRecipe = { method: "quantize-int8", params: {}, distill: false };
  if (share === 1) return [quantize];
  const train = { ...trainingOf(options, options.epochs), seed: undefined };
  return [
    { method: "prune-channels", params: pruneParams(share, options), train: withoutUndefined(train), distill },
    quantize,
  ];
}

const withoutUndefined = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

const trainingOf = (options: SearchOptions, epochs: number): TrainingOptions =>
  trainingSchema.parse({
    epochs,
    lr: options.lr,
    batch: options.batch,
    threads: options.threads,
    augmentation: { flip: true, crop: 4 },
  });

interface Probed {
  readonly accuracy: number;
  readonly fileBytes: number;
  readonly macs: number;
  readonly latencyMs: number;
}

/** Prunes to `share`, fine-tunes briefly, quantizes, and judges on the validation split. */
async function probe(execution: Execution, original: Graph, share: number, options: SearchOptions): Promise<Probed> {
  stopIfAsked(execution.signal);
  const { folder, data, recipe } = execution;
  const name = `search/${share.toFixed(3)}`;
  const prune: StageRecipe = {
    method: "prune-channels",
    params: pruneParams(share, options),
    distill: { temperature: 4, alpha: 0.9 },
  };
  if (!folder.has(name, "graph.onnx")) {
    const pruned = share === 1 ? original : (await applyMethod(execution, prune, original, original)).graph;
    const trained = await trainStage(
      execution,
      pruned,
      name,
      trainingOf(options, options.probeEpochs),
      await softTargets(prune, original),
    );
    folder.write(`${name}/graph.onnx`, encodeModel(trained.graph));
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
  const latency = await measureLatency([{ name, model: bytes }], {
    batches: [1],
    threads: recipe.measure.threads,
    runs: recipe.measure.runs,
  });
  return {
    accuracy: judged.top1,
    fileBytes: bytes.length,
    macs: analyzeCost(tuned).macs,
    latencyMs: latency[0]!.median,
  };
}
