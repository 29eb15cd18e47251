import { describe, expect, it } from "vitest";
import { metrics } from "../../src/report/metrics.ts";
import { placeLabels } from "../../web/src/place-labels.ts";
import { logTicks, tradeOffPoints } from "../../web/src/trade-off-points.ts";
import { sampleReport } from "./fixture.ts";

const bounds = { left: 0, right: 600, top: 0, bottom: 300 };

describe("placeLabels", () => {
  it("keeps names apart from one another, from points and from obstacles", () => {
    const points = [
      { x: 300, y: 150, width: 80 },
      { x: 310, y: 152, width: 80 },
      { x: 590, y: 150, width: 80 },
    ];
    const obstacle = { left: 300, right: 420, top: 120, bottom: 145 };
    const boxes = placeLabels(points, bounds, [obstacle]).map(({ dx, dy }, index) => {
      const { x, y, width } = points[index]!;
      return { left: x + dx - width / 2, right: x + dx + width / 2, top: y + dy - 8, bottom: y + dy + 8 };
    });
    const all = [...boxes, obstacle];
    for (const [index, a] of all.entries()) {
      for (const b of all.slice(index + 1)) {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart, JSON.stringify([a, b])).toBe(true);
      }
    }
    expect(boxes[2]!.right).toBeLessThanOrEqual(bounds.right);
  });
});

describe("tradeOffPoints", () => {
  const report = sampleReport();
  const axis = { metric: metrics(report)[0]!, ofTrial: (trial: { fileBytes: number }) => trial.fileBytes };

  it("places the budget at the original's accuracy less the allowed drop", () => {
    expect(tradeOffPoints(report, axis).budget).toBeCloseTo(0.9163, 12);
    expect(tradeOffPoints({ ...report, maxDrop: null }, axis).budget).toBeNull();
  });

  it("shows every trial, those under the cut on its edge", () => {
    const points = tradeOffPoints(report, axis);
    expect(points.trials).toHaveLength(report.trials.length);
    const below = points.trials.filter((trial) => trial.below);
    expect(below).toHaveLength(report.trials.filter((trial) => trial.validationAccuracy < points.yDomain[0]).length);
    expect(below.length).toBeGreaterThan(0);
    for (const point of points.trials) expect(point.y).toBeGreaterThanOrEqual(points.yDomain[0]);
  });

  it("has every stage and its interval inside the axes", () => {
    const { stages, xDomain, yDomain } = tradeOffPoints(report, axis);
    expect(stages).toHaveLength(4);
    for (const { x, interval } of stages) {
      expect(x).toBeGreaterThan(xDomain[0]);
      expect(x).toBeLessThan(xDomain[1]);
      expect(interval[0]).toBeGreaterThan(yDomain[0]);
      expect(interval[1]).toBeLessThan(yDomain[1]);
    }
  });
});

describe("logTicks", () => {
  it.each([
    [0.9, 4.2, [1, 1.5, 2, 3, 4]],
    [80_000, 2_500_000, [100_000, 200_000, 500_000, 1_000_000, 2_000_000]],
    [50, 20_000, [100, 1000, 10_000]],
  ])("from %d to %d", (low, high, ticks) => expect(logTicks(low, high)).toEqual(ticks));
});
