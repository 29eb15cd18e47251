/** k-means in one dimension against brute force over all intervals, and against the definition of a fixed point of Lloyd's. */
import { describe, expect, it } from "vitest";
import { type Clusters, clusterings, kmeans1d } from "../../src/math/kmeans-1d.ts";
import { createRandom } from "../../src/tensor/random.ts";

const cluster = (values: ArrayLike<number>, count: number, clustering: (typeof clusterings)[number], seed = 1) =>
  kmeans1d(values, count, { clustering, random: createRandom(seed) });

/** The least sum of squares over all ways to cut the sorted numbers into at most `count` intervals. */
function bruteForce(values: readonly number[], count: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const least = (from: number, left: number): number => {
    if (from === sorted.length) return 0;
    if (left === 0) return Number.POSITIVE_INFINITY;
    let best = Number.POSITIVE_INFINITY;
    for (let end = from + 1; end <= sorted.length; end++) {
      const part = sorted.slice(from, end);
      const mean = part.reduce((a, b) => a + b, 0) / part.length;
      const own = part.reduce((sum, x) => sum + (x - mean) ** 2, 0);
      best = Math.min(best, own + least(end, left - 1));
    }
    return best;
  };
  return least(0, count);
}

const errorOf = (values: readonly number[], { centroids, members }: Clusters) =>
  values.reduce((sum, x, i) => sum + (x - centroids[members[i]!]!) ** 2, 0);

/** Draws of several kinds: normal, few levels, far from zero, one far away. */
const draws = Array.from({ length: 24 }, (_, seed) => {
  const random = createRandom(seed);
  const length = 1 + random.below(9);
  const kind = seed % 4;
  return Array.from({ length }, (_, i) =>
    kind === 0
      ? random.normal()
      : kind === 1
        ? random.below(3) - 1
        : kind === 2
          ? 1000 + random.uniform()
          : i === 0
            ? 50
            : random.normal(),
  );
});

describe("exact", () => {
  it("finds the least error there is", () => {
    for (const values of draws)
      for (let count = 1; count <= 5; count++) {
        const found = cluster(values, count, "exact");
        const expected = bruteForce(values, count);
        expect(Math.abs(errorOf(values, found) - expected), `${values} into ${count}`).toBeLessThan(1e-9);
        expect(Math.abs(found.error - expected)).toBeLessThan(1e-9);
      }
  });

  it("is never worse than Lloyd's from any start", () => {
    const random = createRandom(3);
    const values = Float32Array.from({ length: 3000 }, () => random.normal() * 0.05);
    const least = cluster(values, 16, "exact").error;
    for (const clustering of clusterings) expect(cluster(values, 16, clustering).error).toBeGreaterThanOrEqual(least);
  });
});

describe.each(clusterings)("%s", (clustering) => {
  it("gives ascending centroids, each the mean of its own, none empty, none nearer to another", () => {
    const random = createRandom(9);
    const values = Array.from({ length: 2000 }, (_, i) => (i % 50 === 0 ? 40 : 1) * random.normal());
    const { centroids, members, error } = cluster(values, 13, clustering);
    expect([...centroids]).toEqual([...new Set(centroids)].toSorted((a, b) => a - b));
    expect(centroids).toHaveLength(13);
    for (const [k, centroid] of centroids.entries()) {
      const own = values.filter((_, i) => members[i] === k);
      expect(own.length).toBeGreaterThan(0);
      expect(own.reduce((a, b) => a + b, 0) / own.length).toBeCloseTo(centroid, 10);
    }
    for (const [i, x] of values.entries()) {
      const nearest = Math.min(...centroids.map((c) => Math.abs(x - c)));
      expect(Math.abs(x - centroids[members[i]!]!)).toBeLessThanOrEqual(nearest + 1e-9);
    }
    expect(errorOf(values, { centroids, members, error })).toBeCloseTo(error, 6);
  });

  it("takes all equal numbers, and fewer distinct ones than clusters, as they are", () => {
    expect([...cluster(new Float32Array(100).fill(0.1), 16, clustering).centroids]).toEqual([Math.fround(0.1)]);
    expect([...cluster([0, 0, 0], 4, clustering).centroids]).toEqual([0]);
    const few = cluster([3, -1, 3, 0, -1], 16, clustering);
    expect([...few.centroids]).toEqual([-1, 0, 3]);
    expect([...few.members]).toEqual([2, 0, 2, 1, 0]);
    expect(few.error).toBe(0);
  });

  it("gives one cluster the mean", () => {
    expect(cluster([1, 2, 6], 1, clustering).centroids[0]).toBeCloseTo(3, 12);
  });

  it("keeps as many clusters as were asked for where most numbers crowd", () => {
    const values = [...Array.from({ length: 500 }, (_, i) => i * 1e-6), 1, 2, 3];
    expect(cluster(values, 8, clustering).centroids).toHaveLength(8);
  });

  it("refuses what is no number", () => {
    expect(() => cluster([1, Number.NaN, 2], 2, clustering)).toThrow("number 1 is NaN");
    expect(() => cluster([1, 2, Number.NEGATIVE_INFINITY], 2, clustering)).toThrow("number 2 is -Infinity");
    expect(() => cluster([], 2, clustering)).toThrow("there is none");
  });
});

it("draws other starts from another seed, the same from the same", () => {
  const random = createRandom(5);
  const values = Array.from({ length: 400 }, () => random.normal());
  const errors = [1, 2, 3, 4].map((seed) => cluster(values, 9, "plusplus", seed).error);
  expect(new Set(errors).size).toBeGreaterThan(1);
  expect(cluster(values, 9, "plusplus", 2).error).toBe(errors[1]);
});
