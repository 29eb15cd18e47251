/** How a network is trained: the options that `train`, fine-tuning and recipes share, with their defaults. */
import { z } from "zod";
import { augmentationSchema } from "../data/augmentation.ts";
import { memoryPolicies } from "../memory/plan.ts";

export const trainingSchema = z.object({
  epochs: z.number().positive().default(10).describe("passes over the training split (a fraction is allowed)"),
  batch: z.number().int().positive().default(64).describe("images a step"),
  optimizer: z.enum(["sgd", "adam", "adamw", "muon"]).default("sgd").describe("how gradients become steps"),
  lr: z.number().positive().default(0.05).describe("peak learning rate"),
  momentum: z.number().min(0).max(1).default(0.9).describe("momentum of sgd and muon, beta1 of adam"),
  nesterov: z.boolean().default(true).describe("Nesterov's form of momentum"),
  weightDecay: z.number().min(0).default(5e-4).describe("weight decay, on weights of rank 2 and more"),
  decay: z
    .array(
      z.string().regex(/^.*=(\d+\.?\d*|\.\d+)(e-?\d+)?$/i, "expected a prefix of a parameter's name, = and a number"),
    )
    .default([])
    .meta({
      metavar: "PREFIX=DECAY,…",
      description: "weight decay of parameters by the beginning of their names, such as stem=0,logits=1e-3",
    }),
  clip: z.number().min(0).default(0).describe("largest norm of the gradient over all parameters; 0: no limit"),
  ema: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("keep a moving average of the weights with this decay, such as 0.999; 0: the last weights"),
  schedule: z.enum(["cosine", "step", "cyclic", "constant"]).default("cosine").describe("course of the learning rate"),
  cycles: z.number().int().positive().default(5).describe("restarts of the cyclic schedule"),
  snapshots: z.boolean().default(false).describe("keep the network at the end of each cycle as well"),
  warmup: z.number().min(0).default(0).describe("epochs over which the learning rate rises from 0"),
  select: z
    .enum(["last", "best"])
    .default("last")
    .describe("which epoch's weights are given: the last, or the best on the validation images"),
  labelSmoothing: z.number().min(0).max(0.5).default(0).describe("share of each label spread over all classes"),
  mixup: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("mix pairs of images and labels by weights from Beta(a, a), such as 0.2; 0: off"),
  augmentation: augmentationSchema.prefault({}),
  memoryBudget: z
    .string()
    .regex(/^\d+(\.\d+)? ?(MB|GB)$/i, "expected a size such as 800MB or 1.5GB")
    .optional()
    .describe("most memory that the process may take, such as 1.5GB; the step is cut into ranges to keep to it"),
  memoryPolicy: z
    .enum(memoryPolicies)
    .default("auto")
    .describe("what becomes of stored activations under a memory budget"),
  seed: z.number().int().default(1).describe("seed of order, augmentation and initialization"),
  threads: z.number().int().positive().default(2).describe("threads of the engine"),
});

export type TrainingOptions = z.output<typeof trainingSchema>;

/** The options of a training that takes `share` (0..1] of the epochs, warm-up included. */
export function shareOfTraining(options: TrainingOptions, share: number): TrainingOptions {
  return { ...options, epochs: options.epochs * share, warmup: options.warmup * share };
}
