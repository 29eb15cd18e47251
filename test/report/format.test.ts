import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDate,
  formatDuration,
  formatInteger,
  formatJoules,
  formatMs,
  formatParams,
  formatPercent,
  formatPoints,
  formatRatio,
  formatShape,
} from "../../src/report/format.ts";

describe("numbers as text", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [1_861_242, "1.86 MB"],
    [174_400, "174 kB"],
    [999_499, "999 kB"],
    [999_600, "1.00 MB"],
    [8_250_000_000, "8.25 GB"],
    [5e15, "5000 TB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, "0"],
    [947, "947"],
    [464_154, "464 k"],
    [69_120_000, "69.1 M"],
    [9996, "10.0 k"],
  ])("%d counted is %s", (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [7, "7"],
    [999, "999"],
    [10_000, "10,000"],
    [1_234_567, "1,234,567"],
  ])("%d in full is %s", (count, text) => expect(formatInteger(count)).toBe(text));

  it.each([
    [6.23, "6.2×"],
    [1, "1.0×"],
    [0.996, "1.0×"],
    [0.83, "0.83×"],
    [0.012, "0.012×"],
    [99.96, "100×"],
    [120.4, "120×"],
    [null, "–"],
  ])("the ratio %s is %s", (ratio, text) => expect(formatRatio(ratio)).toBe(text));

  it("prints fractions as percentages and differences as signed points", () => {
    expect(formatPercent(0.92634)).toBe("92.6%");
    expect(formatPercent(1, 0)).toBe("100%");
    expect(formatPercent(null)).toBe("–");
    expect(formatPoints(-0.0042)).toBe("−0.4");
    expect(formatPoints(0.003)).toBe("+0.3");
    expect(formatPoints(-0.0004)).toBe("0.0");
  });

  it.each([
    [0.0082, "8.2 µs"],
    [0.84, "0.84 ms"],
    [0.997, "1.00 ms"],
    [3.418, "3.42 ms"],
    [171.3, "171 ms"],
    [999.6, "1.00 s"],
    [1200, "1.20 s"],
    [0, "0.00 ms"],
    [null, "–"],
  ])("%s ms are %s", (ms, text) => expect(formatMs(ms)).toBe(text));

  it.each([
    [0, "0 pJ"],
    [4.6e-12, "5 pJ"],
    [999.6e-12, "1.00 nJ"],
    [64e-6, "64.0 µJ"],
    [0.00186, "1.86 mJ"],
    [12.3, "12.3 J"],
    [1208.8, "1.21 kJ"],
    [null, "–"],
  ])("%s joules are %s", (joules, text) => expect(formatJoules(joules)).toBe(text));

  it.each([
    [0.84, "0.8 s"],
    [42, "42 s"],
    [59.7, "1 min"],
    [725, "12 min 5 s"],
    [3599.8, "1 h"],
    [12_000, "3 h 20 min"],
    [86_399, "24 h"],
  ])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it("prints dates in UTC and leaves what is no date", () => {
    expect(formatDate("2026-03-14T10:26:53+01:00")).toBe("2026-03-14 09:26 UTC");
    expect(formatDate("yesterday")).toBe("yesterday");
  });

  it("prints shapes and options", () => {
    expect(formatShape(["N", 16, 32, 32])).toBe("N×16×32×32");
    expect(formatShape([])).toBe("scalar");
    expect(formatParams({ sparsity: 0.5, importance: "taylor", keep: ["stem"] })).toBe(
      'sparsity=0.5 importance=taylor keep=["stem"]',
    );
  });
});
