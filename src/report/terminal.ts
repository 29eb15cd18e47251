/**
 * A report as a terminal table: one line a stage, each quantity with its ratio to the original. Columns that do not fit the
 * width are left out from the right and named below the table. Control characters in names are dropped, so a model file
 * cannot drive the terminal. Limit: every character counts as one column wide.
 */

import pc from "picocolors";
import { energyNote } from "./energy-note.ts";
import { formatDate, formatDuration, formatInteger, formatPercent, formatPoints, formatRatio } from "./format.ts";
import { energySourceOf, latencySettings, type Metric, metricRatio, metrics } from "./metrics.ts";
import type { Report } from "./schema.ts";
import { describeCoded, describeEnsemble, describeMemory } from "./stage-facts.ts";
import { budgetVerdict, headline, originalStage } from "./summary.ts";

/** How to print: `width` in columns. */
export interface TableOptions {
  readonly colour?: boolean;
  readonly width?: number;
}

interface Cell {
  readonly text: string;
  readonly ratio: string;
  readonly worse: boolean;
}

interface Column {
  readonly head: string;
  readonly cells: readonly Cell[];
}

const gap = 3;
const nameLimit = 28;
const skippedLimit = 5;

/** `text` on one line without control or bidirectional characters. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}

function truncate(text: string, limit: number): string {
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join("")}…`;
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

function padLeft(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - [...text].length)) + text;
}

function accuracyColumn(report: Report): Column {
  const original = originalStage(report).accuracy.top1;
  return {
    head: "top-1",
    cells: report.stages.map(({ accuracy: { top1, interval } }, row) => ({
      text: `${formatPercent(top1)} ±${(((interval[1] - interval[0]) / 2) * 100).toFixed(1)}`,
      ratio: row === 0 ? "" : formatPoints(top1 - original),
      worse: report.maxDrop !== null && original - top1 > report.maxDrop,
    })),
  };
}

function agreementColumn(report: Report): Column {
  const cells = report.stages.map((stage, row) => (row === 0 ? "" : formatPercent(stage.agreement)));
  return { head: "agree", cells: cells.map((text) => ({ text, ratio: "", worse: false })) };
}

function metricColumn(report: Report, metric: Metric): Column {
  return {
    head: metric.short,
    cells: report.stages.map((stage, row) => {
      const ratio = metricRatio(metric, originalStage(report), stage);
      return {
        text: metric.format(metric.value(stage)),
        ratio: row === 0 ? "" : formatRatio(ratio),
        worse: ratio !== null && ratio < 0.95,
      };
    }),
  };
}

/** The most telling columns first: those on the right give way when the terminal is narrow. */
function columnsOf(report: Report): readonly Column[] {
  const [file, ...rest] = metrics(report).map((metric) => metricColumn(report, metric));
  const latencies = latencySettings(report).length;
  return [
    accuracyColumn(report),
    file!,
    ...rest.slice(0, latencies),
    agreementColumn(report),
    ...rest.slice(latencies),
  ];
}

function widths({ head, cells }: Column): { readonly text: number; readonly ratio: number; readonly all: number } {
  const text = Math.max(...cells.map((cell) => [...cell.text].length));
  const ratio = Math.max(...cells.map((cell) => [...cell.ratio].length));
  return { text, ratio, all: Math.max([...head].length, text + (ratio > 0 ? ratio + 1 : 0)) };
}

function footLines(report: Report, hidden: readonly Column[], stageWidth: number): readonly string[] {
  const lines: string[] = [];
  if (hidden.length > 0) lines.push(`Not shown at this width: ${hidden.map((column) => column.head).join(", ")}.`);
  const verdict = budgetVerdict(report);
  if (verdict !== null) {
    const lost = verdict.drop >= 0 ? "lost" : "gained";
    lines.push(
      `Budget: at most ${(verdict.maxDrop * 100).toFixed(1)} points; ${lost} ` +
        `${Math.abs(verdict.drop * 100).toFixed(1)} on the test split${verdict.held ? "" : " — NOT HELD"}.`,
    );
  }
  for (const stage of report.stages) {
    if (stage.ensemble)
      lines.push(`${truncate(plain(stage.name), stageWidth)} is ${describeEnsemble(stage.ensemble)}.`);
    if (stage.coded && stage.method !== null)
      lines.push(`${truncate(plain(stage.name), stageWidth)} as .pare: ${describeCoded(report, stage.coded)}.`);
    if (stage.training?.memory)
      lines.push(
        `Training of ${truncate(plain(stage.name), stageWidth)}: ${describeMemory(stage.training, stage.training.memory)}.`,
      );
  }
  for (const stage of report.stages) {
    if (stage.skipped.length === 0) continue;
    lines.push(`${truncate(plain(stage.name), stageWidth)} skipped ${stage.skipped.length}:`);
    for (const { node, reason } of stage.skipped.slice(0, skippedLimit)) {
      lines.push(`  ${plain(node)}: ${plain(reason)}`);
    }
    const rest = stage.skipped.length - skippedLimit;
    if (rest > 0) lines.push(`  and ${rest} more, all in report.html`);
  }
  const energySource = energySourceOf(report);
  const energyShown = hidden.every(({ head }) => !head.startsWith("energy"));
  if (energySource !== null && energyShown) lines.push(energyNote(energySource));
  const { machine, data } = report;
  lines.push(
    plain(
      `${formatInteger(data.testSamples)} test images of ${data.name}; ${machine.cpu}, ${machine.cores} cores, ` +
        `onnxruntime ${machine.onnxruntime}, Node ${machine.node}; seed ${report.seed}; ` +
        `${formatDate(report.created)}; ${formatDuration(report.totalSeconds)} in all.`,
    ),
  );
  return lines;
}

/**
 * The report's headline, table of stages, budget, skipped nodes and conditions, as lines for a terminal.
 * @param options colour: ANSI colours, off by default; width: columns, 100 by default
 */
export function renderTable(report: Report, { colour = false, width = 100 }: TableOptions = {}): string {
  const paint = pc.createColors(colour);
  const names = report.stages.map((stage) => truncate(plain(stage.name), nameLimit));
  const nameWidth = Math.max("stage".length, ...names.map((name) => [...name].length));
  const shown: Column[] = [];
  let used = nameWidth;
  const all = columnsOf(report);
  for (const column of all) {
    used += gap + widths(column).all;
    if (used > width) break;
    shown.push(column);
  }
  const space = " ".repeat(gap);
  const head = [pad("stage", nameWidth), ...shown.map((column) => pad(column.head, widths(column).all))];
  const rows = names.map((name, row) => {
    const cells = shown.map((column) => {
      const { text, ratio, all: whole } = widths(column);
      const cell = column.cells[row]!;
      const end = " ".repeat(whole - text - (ratio > 0 ? ratio + 1 : 0));
      const tint = cell.ratio === "" ? String : cell.worse ? paint.red : paint.green;
      return padLeft(cell.text, text) + (ratio > 0 ? ` ${tint(padLeft(cell.ratio, ratio))}` : "") + end;
    });
    return [row === report.stages.length - 1 ? paint.bold(pad(name, nameWidth)) : pad(name, nameWidth), ...cells]
      .join(space)
      .trimEnd();
  });
  const rule = paint.dim("─".repeat([...head.join(space)].length));
  return [
    paint.bold(plain(headline(report))),
    "",
    paint.dim(head.join(space).trimEnd()),
    rule,
    ...rows,
    rule,
    ...footLines(report, all.slice(shown.length), nameLimit).map((line) => paint.dim(line)),
  ].join("\n");
}
