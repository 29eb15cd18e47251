/**
 * Accuracy against one cost, cost on a logarithmic axis: stages with 95 % intervals joined in order, trials faint behind them, the
 * budget as a dashed line. The accuracy axis is cut below the stages; trials under the cut stand on its edge as triangles.
 */

import {
  dot,
  gridX,
  gridY,
  line,
  type Markish,
  type PlotOptions,
  plot,
  pointer,
  ruleX,
  ruleY,
  text,
  tip,
} from "@observablehq/plot";
import { formatPercent } from "../../src/report/format.ts";
import { type Box, type Offset, placeLabels } from "./place-labels.ts";
import { type CostAxis, logTicks, type StagePoint, type TradeOffPoints, type TrialPoint } from "./trade-off-points.ts";

const margin = { left: 52, right: 16, top: 26, bottom: 42 };
const letterWidth = 7;
const halo = { stroke: "var(--paper)", strokeWidth: 4 };
const ruled = { stroke: "var(--rule)", strokeOpacity: 1 };
const colours = { original: "var(--was)", between: "var(--is-soft)", result: "var(--is)" };

/** `1.50 ms` -> `1.5 ms`, `2.00 MB` -> `2 MB`. */
function trimZeros(tick: string): string {
  return tick.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
}

function frame(points: TradeOffPoints, axis: CostAxis, width: number): PlotOptions & { readonly height: number } {
  const [low, high] = points.yDomain;
  return {
    width,
    height: Math.round(Math.min(440, Math.max(300, width * 0.46))),
    marginLeft: margin.left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    style: { background: "none", fontSize: "12px", overflow: "visible" },
    x: {
      type: "log",
      domain: points.xDomain,
      ticks: logTicks(...points.xDomain),
      tickFormat: (value: number) => trimZeros(axis.metric.format(value)),
      tickSize: 0,
      label: `${axis.metric.label}, log scale; further left is better`,
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: 38,
    },
    y: {
      domain: points.yDomain,
      ticks: 6,
      tickFormat: (value: number) => formatPercent(value, high - low < 0.03 ? 1 : 0),
      tickSize: 0,
      label: "top-1 accuracy",
      labelArrow: "none",
    },
  };
}

function trialMarks(trials: readonly TrialPoint[]): Markish[] {
  return [
    dot(trials, {
      x: "x",
      y: "y",
      r: 3,
      symbol: (trial: TrialPoint) => (trial.below ? "triangle2" : "circle"),
      fill: "var(--muted)",
      fillOpacity: 0.42,
      stroke: (trial: TrialPoint) => (trial.kept ? "var(--is)" : "none"),
      strokeWidth: 2,
    }),
  ];
}

function tipMark(trials: readonly TrialPoint[]): Markish {
  const text = { title: "title", fontSize: 12, lineHeight: 1.35 };
  const paper = { fill: "var(--panel)", stroke: "var(--was)", pathFilter: "none" };
  return tip(trials, pointer({ x: "x", y: "y", maxRadius: 14, ...text, ...paper }));
}

function stageMarks(stages: readonly StagePoint[]): Markish[] {
  const stroke = (point: StagePoint) => colours[point.kind];
  return [
    line(stages, { x: "x", y: "y", stroke: "var(--is-soft)", strokeWidth: 1.25, strokeOpacity: 0.8 }),
    ruleX(stages, {
      x: "x",
      y1: (point: StagePoint) => point.interval[0],
      y2: (point: StagePoint) => point.interval[1],
      stroke,
      strokeWidth: 2,
    }),
    dot(stages, { x: "x", y: "y", r: 5.5, fill: stroke, stroke: "var(--paper)", strokeWidth: 1.5 }),
  ];
}

function nameMarks(stages: readonly StagePoint[], offsets: readonly Offset[]): Markish[] {
  return stages.map((stage, index) =>
    text([stage], {
      x: "x",
      y: "y",
      text: "name",
      ...offsets[index]!,
      fontSize: 12.5,
      fontWeight: stage.kind === "result" ? 650 : 450,
      fill: "var(--ink)",
      ...halo,
    }),
  );
}

/** The budget's line and its label, at the end of the line that is further from the stages. */
function budgetMarks(
  budget: number,
  label: string,
  end: "left" | "right",
  xDomain: readonly [number, number],
): Markish[] {
  return [
    ruleY([budget], { stroke: "var(--warn)", strokeDasharray: "5 4", strokeWidth: 1.25 }),
    text([budget], {
      x: () => xDomain[end === "left" ? 0 : 1],
      y: (value: number) => value,
      text: () => label,
      textAnchor: end === "left" ? "start" : "end",
      dx: end === "left" ? 4 : -4,
      dy: 10,
      fill: "var(--warn)",
      ...halo,
    }),
  ];
}

/** The figure, `width` pixels wide; `maxDrop` is the budget that `points.budget` stands for. */
export function drawTradeOff(points: TradeOffPoints, axis: CostAxis, maxDrop: number | null, width: number): Element {
  const { stages, budget } = points;
  const options = frame(points, axis, width);
  const bare = plot({ ...options, marks: stageMarks(stages) });
  const x = (value: number): number => bare.scale("x")!.apply(value);
  const y = (value: number): number => bare.scale("y")!.apply(value);
  const bounds: Box = { left: margin.left, right: width, top: 4, bottom: options.height - margin.bottom };
  const obstacles: Box[] = [];
  const marks: Markish[] = [gridX(logTicks(...points.xDomain), ruled), gridY({ ticks: 6, ...ruled })];
  if (budget !== null && maxDrop !== null) {
    const drop = (maxDrop * 100).toFixed(1);
    const label = width < 640 ? `budget −${drop}` : `budget: at most ${drop} points lost`;
    const reach = label.length * letterWidth;
    const near = (edge: number) => Math.min(...stages.map((stage) => Math.abs(x(stage.x) - edge)));
    const end = near(bounds.left + reach / 2) > near(width - margin.right - reach / 2) ? "left" : "right";
    const left = end === "left" ? bounds.left : width - margin.right - reach;
    obstacles.push({ left, right: left + reach, top: y(budget), bottom: y(budget) + 18 });
    marks.push(...budgetMarks(budget, label, end, points.xDomain));
  }
  const offsets = placeLabels(
    stages.map((stage) => ({ x: x(stage.x), y: y(stage.y), width: [...stage.name].length * letterWidth + 4 })),
    bounds,
    obstacles,
  );
  return plot({
    ...options,
    marks: [
      ...marks,
      ...trialMarks(points.trials),
      ...stageMarks(stages),
      ...nameMarks(stages, offsets),
      tipMark(points.trials),
    ],
  });
}
