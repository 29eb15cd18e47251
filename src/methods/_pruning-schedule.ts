/**
 * How the share of zeros grows over n rounds of pruning, from s₀ to s:
 *
 * - `one-shot`   at once;
 * - `iterative`  each round takes the same share of what is left, `1 - s_k = (1 - s₀)·((1 - s)/(1 - s₀))^(k/n)` (Han et al. 2015,
 *                arXiv:1506.02626);
 * - `gradual`    much first and little last, `s_k = s + (s₀ - s)·(1 - k/n)³` (Zhu, Gupta 2017, arXiv:1710.01878).
 */
import { NetpareError } from "../tensor/error.ts";
import type { MethodContext } from "./define-method.ts";

/** The courses that pruning may take. */
export const sparsitySchedules = ["one-shot", "iterative", "gradual"] as const;
export type SparsitySchedule = (typeof sparsitySchedules)[number];

const usualRounds: Readonly<Record<SparsitySchedule, number>> = { "one-shot": 1, iterative: 5, gradual: 10 };

/**
 * The number of rounds, the usual one where `rounds` is left open.
 * @throws NetpareError `bad-option` where there are several and no training between them, or one-shot is to have several.
 */
export function roundsOf(
  schedule: SparsitySchedule,
  rounds: number | undefined,
  { fineTune }: Pick<MethodContext, "fineTune">,
): number {
  const count = rounds ?? usualRounds[schedule];
  if (schedule === "one-shot" && count > 1)
    throw new NetpareError(
      "bad-option",
      `prune-magnitude: one-shot has one round, and --rounds is ${count}; choose --sparsity-schedule iterative or gradual`,
    );
  if (count > 1 && fineTune === undefined)
    throw new NetpareError(
      "bad-option",
      `prune-magnitude: the schedule ${schedule} trains between its ${count} rounds; give --data and --epochs (in a recipe: train), or choose one-shot`,
    );
  return count;
}

/** The share of zeros once `part` (0..1) of the rounds is done, between `from` and `to` < 1. */
export function sparsityAfter(schedule: SparsitySchedule, part: number, from: number, to: number): number {
  if (part === 1 || schedule === "one-shot") return to;
  if (schedule === "gradual") return to + (from - to) * (1 - part) ** 3;
  return 1 - (1 - from) * ((1 - to) / (1 - from)) ** part;
}
