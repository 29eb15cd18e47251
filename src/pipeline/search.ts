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
import { measureLatency } from "../engine/measure.ts";
import { type TrainingOptions, trainingSchema } from "../engine/training-options.ts";
import { analyzeCost } from "../analysis/cost.ts";
import type { Graph } from "../graph/graph.ts";
import { decodeModel, encodeModel } from "../onnx/index.ts";
import { type Trial, trialSchema } from "../report/schema.ts";
import { applyMethod, type Execution, preprocessingOf, softTargets, stopIfAsked, storedShape, trainStage } from "./execute.ts";
import { evaluateModel } from "../engine/evaluate.ts";
import type { StageRecipe } from "./recipe.ts";

export const searchSchema = z.strictObject({
  objective: z.enum(["size", "latency", "macs"]).default("latency").describe("what is to become small"),
  trials: z.number().int().min(1).max(12).default(4).describe("settings that are tried"),
  probeEpochs: z.number().positive().default(1.5).describe("epochs of fine-tuning in a trial"),
  epochs: z.number().positive().default(12).describe("epochs of the final fine-tuning"),
  recovery: z.number().min(0).max(1).default(0.4).describe("share of a trial's loss that is expected to stay after the final fine-tuning"),
  lr: z.number().positive().default(0.04).describe("peak learning rate of fine-tuning"),
  batch: z.number().int().positive().default(64).describe("images a step"),
  threads: z.number().int().positive().default(2).describe("threads of training"),
});

export type SearchOptions = z.output<typeof searchSchema>;
