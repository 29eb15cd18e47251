/**
 * What a report says in one sentence. The first stage is the original, the last is the result; a ratio is original / result and
 * a loss of accuracy is in percentage points of the test split. Pure, no Node modules.
 */

import { formatBytes, formatPercent, formatPoints, formatRatio } from "./format.ts";
import { latencyAt, latencySettings, ratio } from "./metrics.ts";
import type { Report, Stage } from "./schema.ts";

/** The stage everything is compared with: the first. */
export function originalStage(report: Report): Stage {
  return report.stages[0]!;
}

/** The stage the run ended with: the last. */
export function resultStage(report: Report): Stage {
  return report.stages[report.stages.length - 1]!;
}

/** A stage against the original. */
export interface Summary {
  /** Original file bytes / the stage's. */
  readonly size: number | null;
  /** Original median latency / the stage's at the smallest measured batch; null where not measured. */
  readonly speed: number | null;
  /** The stage's top-1 minus the original's, a fraction. */
  readonly accuracyDelta: number;
}

/** `stage` (by default the result) against the original. */
export function summarize(report: Report, stage: Stage = resultStage(report)): Summary {
  const original = originalStage(report);
  const setting = latencySettings(report)[0];
  return {
    size: ratio(original.fileBytes, stage.fileBytes),
    speed:
      setting === undefined
        ? null
        : ratio(latencyAt(original, setting)?.median ?? null, latencyAt(stage, setting)?.median ?? null),
    accuracyDelta: stage.accuracy.top1 - original.accuracy.top1,
  };
}

/** One clause of the headline: `figure` is the part worth a second look. */
export interface Clause {
  readonly figure: string;
  readonly text: string;
  /** Better than the original, no worse than agreed to, or worse. */
  readonly verdict: "better" | "same" | "worse";
}

function ratioClause(value: number | null, better: string, worse: string, same: string): readonly Clause[] {
  if (value === null) return [];
  if (formatRatio(value) === "1.0×") return [{ figure: same, text: "", verdict: "same" }];
  return value > 1
    ? [{ figure: formatRatio(value), text: better, verdict: "better" }]
    : [{ figure: formatRatio(1 / value), text: worse, verdict: "worse" }];
}

function accuracyClause(report: Report, delta: number): Clause {
  const figure = formatPoints(delta);
  if (figure === "0.0") return { figure: "same accuracy", text: "", verdict: "same" };
  const broken = budgetVerdict(report)?.held === false;
  return { figure, text: "points", verdict: delta > 0 ? "better" : broken ? "worse" : "same" };
}

/** How much more the `.pare` file has to save than the `.onnx` for the headline to be about it. */
const worthTelling = 1.5;

/** The size of the `.onnx`, or of the `.pare` where that is what the run was for. */
function sizeClause(report: Report, size: number | null): readonly Clause[] {
  const coded = resultStage(report).coded;
  const codedSize = coded ? ratio(originalStage(report).fileBytes, coded.fileBytes) : null;
  const tells = codedSize !== null && codedSize > worthTelling * (size ?? 1);
  return tells
    ? ratioClause(codedSize, "smaller as .pare", "", "")
    : ratioClause(size, "smaller", "larger", "same size");
}

/** The clauses of the headline, in order: size, speed where measured, accuracy. */
export function headlineClauses(report: Report): readonly Clause[] {
  if (report.stages.length === 1) {
    const { fileBytes, accuracy } = originalStage(report);
    return [
      { figure: formatBytes(fileBytes), text: "", verdict: "same" },
      { figure: formatPercent(accuracy.top1), text: "top-1", verdict: "same" },
    ];
  }
  const { size, speed, accuracyDelta } = summarize(report);
  return [
    ...sizeClause(report, size),
    ...ratioClause(speed, "faster", "slower", "same speed"),
    accuracyClause(report, accuracyDelta),
  ];
}

/** The result in one sentence: `ResNet-32 on CIFAR-10: 6.2× smaller, 3.1× faster, −0.4 points`. */
export function headline(report: Report): string {
  const clauses = headlineClauses(report).map(({ figure, text }) => `${figure} ${text}`.trimEnd());
  return `${report.title}: ${clauses.join(", ")}`;
}

/** How the accuracy lost stands to the budget. */
export interface BudgetVerdict {
  readonly maxDrop: number;
  /** Original top-1 minus the result's on the test split; negative when accuracy was gained. */
  readonly drop: number;
  readonly held: boolean;
}

/** Whether the result keeps the run's accuracy budget on the test split; null where none was set. */
export function budgetVerdict(report: Report): BudgetVerdict | null {
  if (report.maxDrop === null) return null;
  const before = originalStage(report).accuracy;
  const after = resultStage(report).accuracy;
  const drop = before.top1 - after.top1;
  return { maxDrop: report.maxDrop, drop, held: drop <= report.maxDrop + 1e-9 };
}
