/**
 * The course of the learning rate over a training.
 * cosine: `η_t = η/2 · (1 + cos πt/T)` (Loshchilov, Hutter 2017, arXiv:1608.03983); step: a tenth after 1/2 and again after
 * 3/4 of the steps (He et al. 2015); cyclic: M cosines of ⌈T/M⌉ steps, one after the other (Huang et al. 2017,
 * arXiv:1704.00109, eq. 2); each after a linear warm-up.
 */
import type { TrainingOptions } from "./training-options.ts";

/** The learning rate at `step` of `steps`, with `stepsPerEpoch` to place the warm-up. */
export function learningRate(options: TrainingOptions, step: number, steps: number, stepsPerEpoch: number): number {
  const warmupSteps = stepsOfWarmup(options, steps, stepsPerEpoch);
  if (step < warmupSteps) return (options.lr * (step + 1)) / (warmupSteps + 1);
  const after = step - warmupSteps;
  const progress = after / Math.max(1, steps - warmupSteps);
  const cosine = (share: number) => (options.lr / 2) * (1 + Math.cos(Math.PI * share));
  switch (options.schedule) {
    case "cosine":
      return cosine(progress);
    case "cyclic": {
      const length = Math.ceil((steps - warmupSteps) / options.cycles);
      return cosine((after % length) / length);
    }
    case "step":
      return options.lr * (progress < 0.5 ? 1 : progress < 0.75 ? 0.1 : 0.01);
    case "constant":
      return options.lr;
  }
}

/** The decay of the moving average of the weights at `step`, `min(d, (1 + t)/(10 + t))`: early weights are soon forgotten. */
export function averageDecay({ ema }: TrainingOptions, step: number): number {
  return Math.min(ema, (1 + step) / (10 + step));
}

/** Whether a cycle of the cyclic schedule ends once `done` steps are done; the last one ends with the training. */
export function endsCycle(options: TrainingOptions, done: number, steps: number, stepsPerEpoch: number): boolean {
  if (options.schedule !== "cyclic") return false;
  const after = done - stepsOfWarmup(options, steps, stepsPerEpoch);
  const length = Math.ceil((steps - done + after) / options.cycles);
  return done === steps || (after > 0 && after % length === 0);
}

const stepsOfWarmup = ({ warmup }: TrainingOptions, steps: number, stepsPerEpoch: number) =>
  Math.min(Math.round(warmup * stepsPerEpoch), steps - 1);
