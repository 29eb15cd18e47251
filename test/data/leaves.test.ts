import { describe, expect, it } from "vitest";
import { createLeaves } from "../../src/data/leaves/create-leaves.ts";
import { openDataset } from "../../src/data/open-dataset.ts";

const size = 64;
const plane = size * size;
const options = { size, channels: 3 as const, trainSamples: 2, testSamples: 3, seed: 5 };

/** Power of the cosines and sines of `k` waves along each row of a picture's green, the mean over rows. */
function powerAt(image: Uint8Array, k: number): number {
  let power = 0;
  for (let y = 0; y < size; y++) {
    let [re, im] = [0, 0];
    for (let x = 0; x < size; x++) {
      // The window keeps edges of the picture out of its spectrum.
      const value = image[plane + y * size + x]! * Math.sin((Math.PI * (x + 0.5)) / size) ** 2;
      re += value * Math.cos((2 * Math.PI * k * x) / size);
      im += value * Math.sin((2 * Math.PI * k * x) / size);
    }
    power += re * re + im * im;
  }
  return power / size;
}

/** The slope of the least-squares line through (log k, log power). */
function slope(points: readonly (readonly [number, number])[]): number {
  const logs = points.map(([k, power]) => [Math.log(k), Math.log(power)] as const);
  const mean = (axis: 0 | 1) => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  return logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

describe("leaves", () => {
  it("are the same for a seed, and others for another", async () => {
    const leaves = await createLeaves(options);
    expect(await createLeaves(options)).toEqual(leaves);
    expect((await createLeaves({ ...options, seed: 6 })).test.images).not.toEqual(leaves.test.images);
    expect(leaves.train.images.subarray(0, 3 * plane)).not.toEqual(leaves.test.images.subarray(0, 3 * plane));
    const more = await createLeaves({ ...options, testSamples: 5 });
    expect(more.test.images.subarray(0, 9 * plane)).toEqual(leaves.test.images);
  });

  it("have power near 1/f² and use the range of bytes", async () => {
    const count = 80;
    const { test } = await createLeaves({ ...options, trainSamples: 0, testSamples: count });
    const waves = [3, 4, 6, 8, 11, 16];
    const points = waves.map((k) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += powerAt(test.images.subarray(i * 3 * plane, (i + 1) * 3 * plane), k);
      return [k, sum / count] as const;
    });
    expect(Math.abs(slope(points) + 2)).toBeLessThan(0.5);
    const sorted = Uint8Array.from(test.images).sort();
    expect(sorted[Math.floor(sorted.length * 0.05)]).toBeLessThan(60);
    expect(sorted[Math.floor(sorted.length * 0.95)]).toBeGreaterThan(195);
  });

  it("open by their spelling, at the size a model wants", async () => {
    const data = await openDataset("leaves:test=2,seed=3", { height: 40, width: 40, channels: 1, only: "test" });
    expect(data).toMatchObject({ name: "leaves", channels: 1, height: 40, width: 40, classes: [] });
    expect([data.train.length, data.test.images.length]).toEqual([0, 2 * 40 * 40]);
    expect((await openDataset("leaves:size=24,train=1,test=1")).height).toBe(24);
    await expect(openDataset("leaves:size=4")).rejects.toThrow("size");
  });
});
