import { describe, expect, it } from "vitest";
import { renderTable } from "../../src/report/terminal.ts";
import { hostileReport, sampleReport } from "./fixture.ts";

const longest = (text: string) => Math.max(...text.split("\n").map((line) => [...line].length));

describe("renderTable", () => {
  it("prints headline, stages with ratios, budget and conditions", () => {
    const lines = renderTable(sampleReport(), { width: 80 }).split("\n");
    expect(lines[0]).toBe("ResNet-32 on CIFAR-10: 10.7× smaller, 3.1× faster, −0.4 points");
    expect(lines.slice(2, 9)).toEqual([
      "stage          top-1             file            batch 1        batch 64",
      "────────────────────────────────────────────────────────────────────────────",
      "original       92.6% ±0.5        1.87 MB         3.42 ms         171 ms",
      "pruned         90.3% ±0.6 −2.3    655 kB  2.8×   1.74 ms 2.0×   88.1 ms 1.9×",
      "pruned-tuned   92.3% ±0.5 −0.4    655 kB  2.8×   1.74 ms 2.0×   88.4 ms 1.9×",
      "int8           92.2% ±0.5 −0.4    174 kB 10.7×   1.11 ms 3.1×   49.7 ms 3.4×",
      "────────────────────────────────────────────────────────────────────────────",
    ]);
    expect(lines).toContain("Not shown at this width: agree, MACs, params, memory, energy (estimate).");
    expect(lines).toContain("Budget: at most 1.0 points; lost 0.4 on the test split.");
  });

  it("shows every column where there is room", () => {
    const text = renderTable(sampleReport(), { width: 200 });
    expect(text).toMatch(/agree +MACs +params +memory +energy \(estimate\)/);
    expect(text).not.toContain("Not shown");
  });

  it("calls an energy an estimate where it is one, and only there", () => {
    const report = sampleReport();
    const text = renderTable(report, { width: 200 });
    expect(text).toContain("712 µJ");
    expect(text).toContain("53.1 µJ 13.4×");
    expect(text).toContain("Energy is an estimate from counted operations and bytes moved (Horowitz 2014, 45 nm)");
    for (const stage of report.stages) stage.energy!.source = "powercap";
    const read = renderTable(report, { width: 200 });
    expect(read).toMatch(/memory +energy\n/);
    expect(read).toContain("read from the processor's counters (powercap)");
    expect(read).not.toContain("estimate");
  });

  it("compares no energy that was read with one that was estimated", () => {
    const report = sampleReport();
    report.stages[3]!.energy = { source: "powercap", joulesPerImage: 0.02 };
    expect(renderTable(report, { width: 200 })).not.toContain("20.0 mJ");
    for (const stage of report.stages) stage.energy = null;
    expect(renderTable(report, { width: 200 })).not.toMatch(/energy/i);
  });

  it("keeps the table within the width", () => {
    for (const width of [60, 90, 120]) {
      const rows = renderTable(sampleReport(), { width }).split("\n").slice(2, 9).join("\n");
      expect(longest(rows)).toBeLessThanOrEqual(width);
    }
  });

  it("names skipped nodes with their reasons, and counts those it cuts", () => {
    const report = sampleReport();
    expect(renderTable(report)).toContain("  head/fc: its outputs are the classes");
    report.stages[3]!.skipped = Array.from({ length: 9 }, (_, index) => ({ node: `conv${index}`, reason: "no data" }));
    const text = renderTable(report);
    expect(text).toContain("int8 skipped 9:");
    expect(text).toContain("and 4 more, all in report.html");
  });

  it("says when the budget was not held", () => {
    expect(renderTable({ ...sampleReport(), maxDrop: 0.001 })).toContain("lost 0.4 on the test split — NOT HELD");
  });

  it("colours only when asked, and never by the report's own text", () => {
    const esc = "\u001b";
    expect(renderTable(hostileReport())).not.toContain(esc);
    expect(renderTable(hostileReport(), { colour: true })).not.toContain(`${esc}[35m`);
    expect(renderTable(sampleReport(), { colour: true })).toContain(`${esc}[32m`);
  });
});
