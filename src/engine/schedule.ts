/**
 * The course of the learning rate over a training.
 * cosine: `η_t = η/2 · (1 + cos πt/T)` (Loshchilov, Hutter 2017, arXiv:1608.03983); step: a tenth after 1/2 and again after
 * 3/4 of the steps (He et al. 2015); each after a linear warm-up.
 */
import type { TrainingOptions } from "./training-options.ts";

/** The learning rate at `step` of `steps`, with `stepsPerEpoch` to place the warm-up. */
export function learningRate(options: TrainingOptions, step: number, steps: number, stepsPerEpoch: number): number {
  const warmupSteps = Math.min(Math.round(options.warmup * stepsPerEpoch), steps - 1);
  if (step < warmupSteps) return (options.lr * (step + 1)) / (warmupSteps + 1);
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  switch (options.schedule) {
    case "cosine":
      return (options.lr / 2) * (1 + Math.cos(Math.PI * progress));
    case "step":
      return options.lr * (progress < 0.5 ? 1 : progress < 0.75 ? 0.1 : 0.01);
    case "constant":
      return options.lr;
  }
}
