/** What the accuracy-against-cost figure shows, as plain numbers: stages, trials, the cut of the accuracy axis and its ticks. */

import { formatParams, formatPercent } from "../../src/report/format.ts";
import type { Metric } from "../../src/report/metrics.ts";
import type { Report, Trial } from "../../src/report/schema.ts";
import { originalStage } from "../../src/report/summary.ts";

/** One axis to plot against: a metric of stages and the same of trials. */
export interface CostAxis {
  readonly metric: Metric;
  readonly ofTrial: (trial: Trial) => number;
}

/** A stage in the figure: `x` its cost, `y` its top-1 accuracy. */
export interface StagePoint {
  readonly x: number;
  readonly y: number;
  readonly interval: readonly [number, number];
  readonly name: string;
  readonly kind: "original" | "between" | "result";
}

/** A trial in the figure; one that lies below the cut stands on it. */
export interface TrialPoint {
  readonly x: number;
  readonly y: number;
  readonly below: boolean;
  readonly kept: boolean;
  readonly title: string;
}

/** All that the figure shows. */
export interface TradeOffPoints {
  readonly stages: readonly StagePoint[];
  readonly trials: readonly TrialPoint[];
  readonly xDomain: readonly [number, number];
  readonly yDomain: readonly [number, number];
  /** The least accuracy the budget allows, null where there is none. */
  readonly budget: number | null;
}

const longestName = 26;

function shorten(name: string): string {
  const characters = [...name];
  return characters.length <= longestName ? name : `${characters.slice(0, longestName - 1).join("")}…`;
}

function stagePoints(report: Report, axis: CostAxis): readonly StagePoint[] {
  return report.stages.flatMap((stage, index) => {
    const x = axis.metric.value(stage);
    if (x === null || x <= 0) return [];
    const kind = index === 0 ? "original" : index === report.stages.length - 1 ? "result" : "between";
    return [{ x, y: stage.accuracy.top1, interval: stage.accuracy.interval, name: shorten(stage.name), kind }];
  });
}

/** From the lowest stage or budget, and nearly as much again for trials, to the highest point. */
function accuracyDomain(
  stages: readonly StagePoint[],
  trials: readonly Trial[],
  budget: number | null,
): readonly [number, number] {
  const tried = trials.map((trial) => trial.validationAccuracy);
  const low = Math.min(...stages.map((point) => point.interval[0]), ...(budget === null ? [] : [budget]));
  const high = Math.max(...stages.map((point) => point.interval[1]), ...tried);
  const room = Math.max(high - low, 0.01);
  const floor = Math.max(low - room * 0.8, Math.min(low, ...tried)) - room * 0.12;
  return [Math.max(0, floor), Math.min(1, high + room * 0.1)];
}

function trialPoint(trial: Trial, axis: CostAxis, floor: number): TrialPoint {
  const x = axis.ofTrial(trial);
  return {
    x,
    y: Math.max(trial.validationAccuracy, floor),
    below: trial.validationAccuracy < floor,
    kept: trial.kept,
    title: [
      `${trial.method}${trial.kept ? " (kept)" : ""}`,
      formatParams(trial.params),
      `validation ${formatPercent(trial.validationAccuracy)}`,
      axis.metric.format(x),
    ].join("\n"),
  };
}

/** The figure's content against `axis`; at least one stage must have a cost above zero there. */
export function tradeOffPoints(report: Report, axis: CostAxis): TradeOffPoints {
  const stages = stagePoints(report, axis);
  const tried = report.trials.filter((trial) => axis.ofTrial(trial) > 0);
  const budget = report.maxDrop === null ? null : originalStage(report).accuracy.top1 - report.maxDrop;
  const yDomain = accuracyDomain(stages, tried, budget);
  const trials = tried.map((trial) => trialPoint(trial, axis, yDomain[0]));
  const xs = [...stages, ...trials].map((point) => point.x);
  return { stages, trials, budget, yDomain, xDomain: [Math.min(...xs) / 1.35, Math.max(...xs) * 1.35] };
}

/** Round numbers inside [low, high]: decades alone over a wide range, more steps between them over a narrow one. */
export function logTicks(low: number, high: number): readonly number[] {
  const span = Math.log10(high / low);
  const steps = span > 2.2 ? [1] : span > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(span) + 2 }, (_, index) => first + index);
  return powers
    .flatMap((power) => steps.map((step) => Number((step * 10 ** power).toPrecision(3))))
    .filter((tick) => tick >= low && tick <= high);
}
