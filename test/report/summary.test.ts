import { describe, expect, it } from "vitest";
import { latencySettings, metricRatio, metrics, ratio } from "../../src/report/metrics.ts";
import type { Coded, Report, Stage } from "../../src/report/schema.ts";
import { budgetVerdict, headline, headlineClauses, summarize } from "../../src/report/summary.ts";
import { sampleReport } from "./fixture.ts";

interface Figures {
  readonly bytes: number;
  readonly top1: number;
  readonly ms: readonly (readonly [batch: number, median: number])[];
}

/** The sample with these figures in place of its own; the other fields do not matter here. */
function reportOf(maxDrop: number | null, ...figures: readonly Figures[]): Report {
  const sample = sampleReport();
  const stages = figures.map(
    ({ bytes, top1, ms }): Stage => ({
      ...sample.stages[0]!,
      fileBytes: bytes,
      accuracy: { ...sample.stages[0]!.accuracy, top1 },
      latencyMs: ms.map(([batch, median]) => ({ batch, threads: 1, runs: 9, median, p10: median, p90: median })),
    }),
  );
  return { ...sample, title: "LeNet-5 on MNIST", maxDrop, stages };
}

const before: Figures = {
  bytes: 1_000_000,
  top1: 0.99,
  ms: [
    [32, 80],
    [1, 10],
  ],
};

describe("ratios", () => {
  it("are before / after and absent where either is", () => {
    expect(ratio(10, 4)).toBe(2.5);
    expect(ratio(4, 10)).toBe(0.4);
    expect(ratio(0, 4)).toBeNull();
    expect(ratio(4, 0)).toBeNull();
    expect(ratio(null, 4)).toBeNull();
  });

  it("compare a stage with the original by worked numbers", () => {
    const report = reportOf(null, before, { bytes: 160_000, top1: 0.98, ms: [[1, 4]] });
    const [original, stage] = report.stages as [Stage, Stage];
    const byKey = new Map(metrics(report).map((metric) => [metric.key, metricRatio(metric, original, stage)]));
    expect(byKey.get("fileBytes")).toBe(6.25);
    expect(byKey.get("latency-1-1")).toBe(2.5);
    expect(byKey.get("latency-32-1")).toBeNull();
    expect(byKey.get("macs")).toBe(1);
    const summary = summarize(report);
    expect(summary.size).toBe(6.25);
    expect(summary.speed).toBe(2.5);
    expect(summary.accuracyDelta).toBeCloseTo(-0.01, 12);
  });

  it("list latency settings from the smallest batch and name threads only where they differ", () => {
    const report = reportOf(null, before);
    expect(latencySettings(report)).toEqual([
      { batch: 1, threads: 1 },
      { batch: 32, threads: 1 },
    ]);
    expect(metrics(report).map((metric) => metric.short)).toContain("batch 1");
    report.stages[0]!.latencyMs.push({ batch: 1, threads: 4, runs: 9, median: 3, p10: 3, p90: 3 });
    expect(metrics(report).map((metric) => metric.short)).toContain("batch 1, 4 threads");
  });
});

describe("headline", () => {
  it("says what got smaller, faster and worse", () => {
    const report = reportOf(null, before, { bytes: 160_000, top1: 0.986, ms: [[1, 4]] });
    expect(headline(report)).toBe("LeNet-5 on MNIST: 6.3× smaller, 2.5× faster, −0.4 points");
  });

  it("is about the .pare where that is much smaller, and not where it is little smaller", () => {
    const report = reportOf(null, before, { ...before, bytes: 500_000 });
    const coded = (fileBytes: number) =>
      headline({ ...report, stages: [report.stages[0]!, { ...report.stages[1]!, coded: { fileBytes } as Coded }] });
    expect(coded(2_000)).toBe("LeNet-5 on MNIST: 500× smaller as .pare, same speed, same accuracy");
    expect(coded(400_000)).toBe("LeNet-5 on MNIST: 2.0× smaller, same speed, same accuracy");
  });

  it("says larger, slower and gained where that is so", () => {
    const report = reportOf(null, before, { bytes: 2_000_000, top1: 0.993, ms: [[1, 15]] });
    expect(headline(report)).toBe("LeNet-5 on MNIST: 2.0× larger, 1.5× slower, +0.3 points");
  });

  it("says same where nothing moved, and nothing of a speed nobody measured", () => {
    expect(headline(reportOf(null, before, before))).toBe("LeNet-5 on MNIST: same size, same speed, same accuracy");
    const unmeasured = reportOf(null, { ...before, ms: [] }, { ...before, bytes: 500_000, ms: [] });
    expect(headline(unmeasured)).toBe("LeNet-5 on MNIST: 2.0× smaller, same accuracy");
  });

  it("states size and accuracy of a run with the original only", () => {
    expect(headline(reportOf(null, before))).toBe("LeNet-5 on MNIST: 1.00 MB, 99.0% top-1");
  });

  it("marks lost accuracy as worse only where it breaks the budget", () => {
    const after: Figures = { bytes: 500_000, top1: 0.97, ms: [] };
    const verdictOf = (maxDrop: number | null) => headlineClauses(reportOf(maxDrop, before, after)).at(-1)?.verdict;
    expect(verdictOf(0.01)).toBe("worse");
    expect(verdictOf(0.02)).toBe("same");
    expect(verdictOf(null)).toBe("same");
  });
});

describe("budget", () => {
  it("holds up to the very drop allowed", () => {
    const after: Figures = { bytes: 1, top1: 0.98, ms: [] };
    expect(budgetVerdict(reportOf(0.01, before, after))?.held).toBe(true);
    expect(budgetVerdict(reportOf(0.0099, before, after))?.held).toBe(false);
    expect(budgetVerdict(reportOf(null, before, after))).toBeNull();
  });
});
