/** What progress looks like on a terminal and elsewhere. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startProgress } from "../../src/cli/_progress.ts";
import { sparkline } from "../../src/cli/_sparkline.ts";

/** A stream that keeps what is written to it. */
function fakeStream(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { stream: { isTTY, columns: 120, write } as unknown as NodeJS.WriteStream, text: () => written.join("") };
}

describe("sparkline", () => {
  it("spans from the least to the largest value", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20)).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([3, -3, 0], 20)).toBe("█▁▅");
    expect(sparkline([2, 2], 20)).toBe("▄▄");
    expect(sparkline([], 20)).toBe("");
  });

  it("averages neighbours where there are more values than room", () => {
    expect(sparkline([0, 0, 0, 0, 7, 7, 7, 7], 4)).toBe("▁▁██");
    expect(sparkline([0, 2, 0, 2, 3, 5, 7, 9], 4)).toBe(sparkline([1, 1, 4, 8], 4));
    expect([
      ...sparkline(
        Array.from({ length: 1000 }, (_, i) => i),
        24,
      ),
    ]).toHaveLength(24);
  });
});

describe("progress", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("shows a bar with details, and curves on a line below once there are any", () => {
    const { stream, text } = fakeStream(true);
    const progress = startProgress("training", stream);
    progress.update(1, 10, "loss 2.3");
    expect(text()).toBe("");
    vi.advanceTimersByTime(1000);
    progress.update(1, 10, "loss 2.1");
    vi.advanceTimersByTime(1000);
    progress.update(2, 10, "loss 2.0");
    vi.advanceTimersByTime(1000);
    expect(text()).toMatch(/training █+░+ +20 %.*loss 2\.0/);
    expect(text()).not.toContain("▁");
    progress.update(3, 10, "loss 1.5", "loss █▁ 2.0 to 1.5");
    vi.advanceTimersByTime(1000);
    const before = text().length;
    progress.update(4, 10, "loss 1.4", "loss █▂▁ 2.0 to 1.4");
    vi.advanceTimersByTime(1000);
    expect(text().slice(before)).toMatch(/40 %.*loss 1\.4[\s\S]*\n[\s\S]*loss █▂▁ 2\.0 to 1\.4/);
    progress.stop();
    const after = text().length;
    vi.advanceTimersByTime(5000);
    expect(text().length).toBe(after);
  });

  it("writes plain lines without curves elsewhere", () => {
    const { stream, text } = fakeStream(false);
    const progress = startProgress("training", stream);
    progress.update(1, 10, "loss 2.3", "loss █▁");
    vi.advanceTimersByTime(3000);
    progress.update(2, 10, "loss 2.0", "loss █▁");
    progress.stop();
    expect(text()).toBe("training: 20 %, 24 s left, loss 2.0\n");
  });
});
