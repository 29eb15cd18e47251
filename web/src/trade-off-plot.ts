/**
 * Accuracy against one cost, cost on a logarithmic axis: stages with 95 % intervals joined in order, trials faint behind them, the
 * budget as a dashed line. The accuracy axis is cut below the stages; trials under the cut stand on its edge as triangles.
 */

import { dot, gridX, gridY, line, plot, pointer, ruleX, ruleY, text, tip } from "@observablehq/plot";
import { formatParams, formatPercent } from "../../src/report/format.ts";
import type { Metric } from "../../src/report/metrics.ts";
import type { Report, Trial } from "../../src/report/schema.ts";
import { originalStage } from "../../src/report/summary.ts";
import { type Offset, placeLabels } from "./place-labels.ts";

/** One axis to plot against: a metric of stages and the same of trials. */
export interface CostAxis {
  readonly metric: Metric;
  readonly ofTrial: (trial: Trial) => number;
}

interface StagePoint {
  readonly x: number;
  readonly y: number;
  readonly interval: readonly [number, number];
  readonly name: string;
  readonly kind: "original" | "between" | "result";
}

interface TrialPoint {
  readonly x: number;
  readonly y: number;
  readonly below: boolean;
  readonly title: string;
}

const colours = { original: "var(--was)", between: "var(--is-soft)", result: "var(--is)" };

function stagePoints(report: Report, axis: CostAxis): readonly StagePoint[] {
  return report.stages.flatMap((stage, index) => {
    const x = axis.metric.value(stage);
    if (x === null || x <= 0) return [];
    const kind = index === 0 ? "original" : index === report.stages.length - 1 ? "result" : "between";
    return [{ x, y: stage.accuracy.top1, interval: stage.accuracy.interval, name: stage.name, kind }];
  });
}

/** Lowest and highest accuracy to show: all stages and the budget, and as much again for trials. */
function accuracyDomain(report: Report, points: readonly StagePoint[]): readonly [number, number] {
  const budget = report.maxDrop === null ? [] : [originalStage(report).accuracy.top1 - report.maxDrop];
  const low = Math.min(...points.map((point) => point.interval[0]), ...budget);
  const high = Math.max(...points.map((point) => point.interval[1]), ...report.trials.map((t) => t.validationAccuracy));
  const room = Math.max(high - low, 0.01);
  const lowestTrial = Math.min(low, ...report.trials.map((trial) => trial.validationAccuracy));
  return [Math.max(0, Math.max(low - room * 0.8, lowestTrial) - room * 0.12), Math.min(1, high + room * 0.1)];
}

function trialPoints(report: Report, axis: CostAxis, floor: number): readonly TrialPoint[] {
  return report.trials
    .filter((trial) => axis.ofTrial(trial) > 0)
    .map((trial) => ({
      x: axis.ofTrial(trial),
      y: Math.max(trial.validationAccuracy, floor),
      below: trial.validationAccuracy < floor,
      title: [
        `${trial.method}${trial.kept ? " (kept)" : ""}`,
        formatParams(trial.params),
        `validation ${formatPercent(trial.validationAccuracy)}`,
        axis.metric.format(axis.ofTrial(trial)),
      ].join("\n"),
    }));
}

function nameMarks(points: readonly StagePoint[], offsets: readonly Offset[]) {
  return points.map((point, index) =>
    text([point], {
      x: "x",
      y: "y",
      text: "name",
      dx: offsets[index]!.dx,
      dy: offsets[index]!.dy,
      fontSize: 12.5,
      fontWeight: point.kind === "result" ? 650 : 450,
      fill: "var(--ink)",
      stroke: "var(--paper)",
      strokeWidth: 4,
    }),
  );
}

/** Decades and, where they are few, their 2 and 5 multiples, as ticks inside [low, high]. */
function logTicks(low: number, high: number): readonly number[] {
  const steps = Math.log10(high / low) > 2.2 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) {
      const tick = step * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

/** Trials whose validation accuracy lies below the cut of the accuracy axis. */
export function trialsBelow(report: Report, axis: CostAxis): number {
  const [floor] = accuracyDomain(report, stagePoints(report, axis));
  return report.trials.filter((trial) => axis.ofTrial(trial) > 0 && trial.validationAccuracy < floor).length;
}

/** The figure, `width` pixels wide. */
export function drawTradeOff(report: Report, axis: CostAxis, width: number): Element {
  const points = stagePoints(report, axis);
  const domain = accuracyDomain(report, points);
  const trials = trialPoints(report, axis, domain[0]);
  const xs = [...points.map((point) => point.x), ...trials.map((trial) => trial.x)];
  const xDomain = [Math.min(...xs) / 1.35, Math.max(...xs) * 1.35] as const;
  const budget = originalStage(report).accuracy.top1 - (report.maxDrop ?? 0);
  const margins = { marginLeft: 52, marginRight: 16, marginTop: 26, marginBottom: 42 };
  const height = Math.round(Math.min(440, Math.max(300, width * 0.46)));
  const draw = (names: ReturnType<typeof nameMarks>) =>
    plot({
      width,
      height,
      ...margins,
      style: { background: "none", fontSize: "12px", overflow: "visible" },
      x: {
        type: "log",
        domain: xDomain,
        ticks: logTicks(...xDomain),
        tickFormat: (value: number) => axis.metric.format(value),
        tickSize: 0,
        label: `${axis.metric.label}, log scale; further left is better`,
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 38,
      },
      y: {
        domain,
        ticks: 6,
        tickFormat: (value: number) => formatPercent(value, domain[1] - domain[0] < 0.03 ? 1 : 0),
        tickSize: 0,
        label: "top-1 accuracy",
        labelArrow: "none",
      },
      marks: [
        gridX({ stroke: "var(--rule)", strokeOpacity: 1 }),
        gridY({ stroke: "var(--rule)", strokeOpacity: 1 }),
        dot(trials, {
          x: "x",
          y: "y",
          r: 3,
          symbol: (trial: TrialPoint) => (trial.below ? "triangle2" : "circle"),
          fill: "var(--muted)",
          fillOpacity: 0.42,
        }),
        ...(report.maxDrop === null
          ? []
          : [
              ruleY([budget], { stroke: "var(--warn)", strokeDasharray: "5 4", strokeWidth: 1.25 }),
              text([budget], {
                x: () => xDomain[1],
                y: (value: number) => value,
                text: () => `budget: at most ${(report.maxDrop! * 100).toFixed(1)} points lost`,
                textAnchor: "end",
                dx: -4,
                dy: 9,
                fill: "var(--warn)",
                stroke: "var(--paper)",
                strokeWidth: 4,
              }),
            ]),
        line(points, { x: "x", y: "y", stroke: "var(--is-soft)", strokeWidth: 1.25, strokeOpacity: 0.8 }),
        ruleX(points, {
          x: "x",
          y1: (point: StagePoint) => point.interval[0],
          y2: (point: StagePoint) => point.interval[1],
          stroke: (point: StagePoint) => colours[point.kind],
          strokeWidth: 2,
          marker: "none",
        }),
        dot(points, {
          x: "x",
          y: "y",
          r: 5.5,
          fill: (point: StagePoint) => colours[point.kind],
          stroke: "var(--paper)",
          strokeWidth: 1.5,
        }),
        ...names,
        tip(trials, pointer({ x: "x", y: "y", title: "title", fontSize: 12, maxRadius: 14 })),
      ],
    });
  const bare = draw([]);
  const offsets = placeLabels(
    points.map((point) => ({
      x: bare.scale("x")!.apply(point.x),
      y: bare.scale("y")!.apply(point.y),
      width: [...point.name].length * 7 + 4,
    })),
    { left: margins.marginLeft, right: width, top: 4, bottom: height - margins.marginBottom },
  );
  return draw(nameMarks(points, offsets));
}
