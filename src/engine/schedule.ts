/**
 * The course of the learning rate over a training.
 * cosine: `η_t = η/2 · (1 + cos πt/T)` (Loshchilov, Hutter 2017, arXiv:1608.03983); step: a tenth after 1/2 and again after
 * 3/4 of the steps (He et al. 2015); cyclic: M cosines of ⌈T/M⌉ steps, one after the other (Huang et al. 2017,
 * arXiv:1704.00109, eq. 2); each after a linear warm-up.
 */
import type { TrainingOptions } from "./training-options.ts";

/** How many steps a training takes; an epoch of N images in batches of B has `N/B` of them, not always a whole number. */
export interface Pace {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** The pace of a training on `images` images, no fewer than a batch. */
export function paceOf({ epochs, batch }: Pick<TrainingOptions, "epochs" | "batch">, images: number): Pace {
  const stepsPerEpoch = images / batch;
  return { steps: Math.max(1, Math.round(epochs * stepsPerEpoch)), stepsPerEpoch };
}

/** Whether an epoch ends, to the nearest step, once `done` steps are done; the last one ends with the training. */
export function endsEpoch({ steps, stepsPerEpoch }: Pace, done: number): boolean {
  const epoch = Math.round(done / stepsPerEpoch);
  return done === steps || (epoch > 0 && Math.round(epoch * stepsPerEpoch) === done);
}

/** Epochs that `done` steps make: a whole number where one ends. */
export function epochsOf({ stepsPerEpoch }: Pace, done: number): number {
  const epoch = Math.round(done / stepsPerEpoch);
  return epoch > 0 && Math.round(epoch * stepsPerEpoch) === done ? epoch : done / stepsPerEpoch;
}

/** The learning rate at `step`. */
export function learningRate(options: TrainingOptions, step: number, pace: Pace): number {
  const { steps } = pace;
  const warmupSteps = stepsOfWarmup(options, pace);
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
export function endsCycle(options: TrainingOptions, done: number, pace: Pace): boolean {
  if (options.schedule !== "cyclic") return false;
  const after = done - stepsOfWarmup(options, pace);
  const length = Math.ceil((pace.steps - done + after) / options.cycles);
  return done === pace.steps || (after > 0 && after % length === 0);
}

const stepsOfWarmup = ({ warmup }: TrainingOptions, { steps, stepsPerEpoch }: Pace) =>
  Math.min(Math.round(warmup * stepsPerEpoch), steps - 1);
