/**
 * The quantities on which a stage is compared with the original, in one list from which the terminal table, the bars, the
 * stage table and the plot's axes are all drawn. Each is better when smaller: `ratio = original / stage`. Pure, no Node modules.
 */

import { markEnergy } from "./energy-note.ts";
import { formatBytes, formatCount, formatJoules, formatMs } from "./format.ts";
import type { EnergySource, Latency, Report, Stage } from "./schema.ts";

/** What a latency was measured with. */
export interface LatencySetting {
  readonly batch: number;
  readonly threads: number;
}

/** One compared quantity of a stage. */
export interface Metric {
  readonly key: string;
  /** Full name, as in a caption: `Latency, batch 1`. */
  readonly label: string;
  /** Column heading: `batch 1`. */
  readonly short: string;
  /** The value in its unit, null where the stage was not measured so. */
  value(stage: Stage): number | null;
  /** The value as text with its unit. */
  format(value: number | null): string;
}

/** The settings under which any stage's latency was measured, smallest batch and fewest threads first. */
export function latencySettings(report: Report): readonly LatencySetting[] {
  const byKey = new Map<string, LatencySetting>();
  for (const stage of report.stages) {
    for (const { batch, threads } of stage.latencyMs) byKey.set(`${batch}/${threads}`, { batch, threads });
  }
  return [...byKey.values()].sort((a, b) => a.threads - b.threads || a.batch - b.batch);
}

/** The stage's latency under `setting`, null where it was not measured so. */
export function latencyAt(stage: Stage, setting: LatencySetting): Latency | null {
  return stage.latencyMs.find((row) => row.batch === setting.batch && row.threads === setting.threads) ?? null;
}

function latencyMetrics(report: Report): readonly Metric[] {
  const settings = latencySettings(report);
  const manyThreads = new Set(settings.map((setting) => setting.threads)).size > 1;
  return settings.map((setting) => {
    const name = `batch ${setting.batch}${manyThreads ? `, ${setting.threads} threads` : ""}`;
    return {
      key: `latency-${setting.batch}-${setting.threads}`,
      label: `Latency, ${name}`,
      short: name,
      value: (stage) => latencyAt(stage, setting)?.median ?? null,
      format: formatMs,
    };
  });
}

function counted(
  key: "fileBytes" | "macs" | "parameters" | "peakMemoryBytes",
  label: string,
  short: string,
  format: (value: number) => string,
): Metric {
  return { key, label, short, value: (stage) => stage[key], format: (value) => (value === null ? "–" : format(value)) };
}

/** Where the report's energies come from: the original's source; null where it has none. */
export function energySourceOf(report: Report): EnergySource | null {
  return report.stages[0]?.energy?.source ?? null;
}

/** A figure from another source than the original's cannot be compared and counts as missing. */
function energyMetrics(report: Report): readonly Metric[] {
  const source = energySourceOf(report);
  if (source === null) return [];
  return [
    {
      key: "energy",
      label: markEnergy("Energy per image", source),
      short: markEnergy("energy", source),
      value: ({ energy }) => (energy?.source === source ? energy.joulesPerImage : null),
      format: formatJoules,
    },
  ];
}

/** Every compared quantity of `report`: file size, each latency setting, MACs, parameters, peak memory, energy. */
export function metrics(report: Report): readonly Metric[] {
  return [
    counted("fileBytes", "File size", "file", formatBytes),
    ...latencyMetrics(report),
    counted("macs", "Multiply-adds (MACs)", "MACs", formatCount),
    counted("parameters", "Parameters", "params", formatCount),
    counted("peakMemoryBytes", "Peak memory", "memory", formatBytes),
    ...energyMetrics(report),
  ];
}

/** before / after, above 1 when better; null where either is missing or zero. */
export function ratio(before: number | null, after: number | null): number | null {
  return before === null || after === null || before <= 0 || after <= 0 ? null : before / after;
}

/** How many times smaller or faster `stage` is than `original` in `metric`. */
export function metricRatio(metric: Metric, original: Stage, stage: Stage): number | null {
  return ratio(metric.value(original), metric.value(stage));
}
