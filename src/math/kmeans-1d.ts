/**
 * k-means in one dimension: centroids c that make `Σᵢ (xᵢ - c[aᵢ])²` small. A cluster is an interval of the sorted numbers, so sums over
 * a cluster are differences of prefix sums, and an iteration of Lloyd's costs O(K log n) whatever the start:
 *
 * - `linear`    evenly between the least and the largest, which keeps large weights apart (Han et al. 2015, arXiv:1510.00149)
 * - `density`   at even quantiles (ibid.)
 * - `plusplus`  drawn by the squared distance to those drawn before (Arthur, Vassilvitskii 2007)
 * - `exact`     the least sum there is, by dynamic programming over intervals: cuts move only rightwards with the end of the interval,
 *               so that halving finds a row in O(n log n) (Wang, Song 2011; Grønlund et al. 2017, arXiv:1701.07204)
 */
import { NetpareError } from "../tensor/error.ts";
import type { Random } from "../tensor/random.ts";

/** How centroids are found. */
export const clusterings = ["exact", "linear", "density", "plusplus"] as const;
export type Clustering = (typeof clusterings)[number];

/** Numbers in clusters. */
export interface Clusters {
  /** Ascending, distinct; fewer than asked for where there are fewer distinct numbers. */
  readonly centroids: Float64Array;
  /** The cluster of each number, by its place in `centroids`. */
  readonly members: Uint16Array;
  /** `Σᵢ (xᵢ - c[aᵢ])²`. */
  readonly error: number;
}

/** Most cells of the table of `exact`: distinct numbers times clusters. */
export const exactLimit = 2 ** 22;

/** The distinct numbers in ascending order, and prefix sums over how often each stands, its offset from the middle, and its square. */
interface Points {
  readonly x: Float64Array;
  readonly middle: number;
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Puts `values` into at most `clusters` (1..65536) clusters; `random` is drawn from by `plusplus` alone.
 * @throws NetpareError `bad-data` where a number is not finite, or there is none.
 */
export function kmeans1d(
  values: ArrayLike<number>,
  clusters: number,
  { clustering, random }: { readonly clustering: Clustering; readonly random: Random },
): Clusters {
  const points = sortPoints(values);
  const n = points.x.length;
  const count = Math.min(clusters, n);
  const ends =
    count === n
      ? Int32Array.from({ length: n }, (_, i) => i + 1)
      : clustering === "exact"
        ? exactEnds(points, count)
        : lloyd(points, starts[clustering](points, count, random));
  const centroids = Float64Array.from(ends, (end, k) => mean(points, k === 0 ? 0 : ends[k - 1]!, end));
  let error = 0;
  for (const [k, end] of ends.entries()) error += spread(points, k === 0 ? 0 : ends[k - 1]!, end);
  const members = Uint16Array.from({ length: values.length }, (_, i) => {
    const at = firstAbove(points.x, values[i]!, true);
    return firstAbove(ends, at, false);
  });
  return { centroids, members, error };
}

function sortPoints(values: ArrayLike<number>): Points {
  const sorted = Float64Array.from(values).sort();
  const wrong = Array.prototype.findIndex.call(values, (value: number) => !Number.isFinite(value));
  if (wrong >= 0 || sorted.length === 0)
    throw new NetpareError(
      "bad-data",
      `clusters are made of finite numbers, and ${wrong < 0 ? "there is none" : `number ${wrong} is ${values[wrong]}`}`,
    );
  const x = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const middle = sorted.reduce((sum, value) => sum + value / sorted.length, 0);
  const [counts, sums, squares] = [1, 2, 3].map(() => new Float64Array(x.length + 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0, from = 0; i < x.length; i++) {
    let end = from;
    while (end < sorted.length && sorted[end] === x[i]) end++;
    const offset = x[i]! - middle;
    counts[i + 1] = end;
    sums[i + 1] = sums[i]! + (end - from) * offset;
    squares[i + 1] = squares[i]! + (end - from) * offset * offset;
    from = end;
  }
  return { x, middle, counts, sums, squares };
}

/** The mean of points from..end - 1. */
function mean({ x, middle, counts, sums }: Points, from: number, end: number): number {
  if (end - from === 1) return x[from]!;
  return middle + (sums[end]! - sums[from]!) / (counts[end]! - counts[from]!);
}

/** Their sum of squared distances from it. */
function spread({ counts, sums, squares }: Points, from: number, end: number): number {
  if (end - from < 2) return 0;
  const sum = sums[end]! - sums[from]!;
  return Math.max(0, squares[end]! - squares[from]! - (sum * sum) / (counts[end]! - counts[from]!));
}

/** The first place in ascending `list` whose entry is above `value`, or not below it where `orEqual`. */
function firstAbove(list: ArrayLike<number>, value: number, orEqual: boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const at = (low + high) >> 1;
    if (list[at]! > value || (orEqual && list[at] === value)) high = at;
    else low = at + 1;
  }
  return low;
}

/** Centroids to start from, ascending. */
const starts: Readonly<
  Record<Exclude<Clustering, "exact">, (points: Points, count: number, random: Random) => Float64Array>
> = {
  linear({ x }, count) {
    const [least, largest] = [x[0]!, x.at(-1)!];
    if (count === 1) return Float64Array.of((least + largest) / 2);
    return Float64Array.from({ length: count }, (_, k) => least + (k * (largest - least)) / (count - 1));
  },
  density({ x, counts }, count) {
    const total = counts[x.length]!;
    return Float64Array.from(
      { length: count },
      (_, k) => x[firstAbove(counts, ((k + 0.5) * total) / count, false) - 1]!,
    );
  },
  plusplus({ x, counts }, count, random) {
    const weight = (i: number) => counts[i + 1]! - counts[i]!;
    const distance = new Float64Array(x.length).fill(1);
    const drawn: number[] = [];
    while (drawn.length < count) {
      let left = random.uniform() * distance.reduce((sum, d, i) => sum + d * weight(i), 0);
      let at = -1;
      // Points drawn before have distance 0 and are passed by, rounding or not.
      for (let i = 0; i < x.length && (at < 0 || left >= 0); i++) {
        if (distance[i] === 0) continue;
        at = i;
        left -= distance[i]! * weight(i);
      }
      const first = drawn.length === 0;
      drawn.push(x[at]!);
      for (let i = 0; i < x.length; i++) {
        const d = (x[i]! - x[at]!) ** 2;
        distance[i] = first ? d : Math.min(distance[i]!, d);
      }
    }
    return Float64Array.from(drawn).sort();
  },
};

const mostIterations = 1000;

/** Lloyd's iterations until no point changes its cluster; the ends of the clusters' intervals. */
function lloyd(points: Points, start: Float64Array): Int32Array {
  let centroids = start;
  let ends = new Int32Array(0);
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    const next = Int32Array.from(centroids, (c, k) =>
      k + 1 === centroids.length ? points.x.length : firstAbove(points.x, (c + centroids[k + 1]!) / 2, false),
    );
    const filled = fillEmpty(points, next);
    if (filled.length === ends.length && filled.every((end, k) => end === ends[k])) break;
    ends = filled;
    centroids = Float64Array.from(ends, (end, k) => mean(points, k === 0 ? 0 : ends[k - 1]!, end));
  }
  return ends;
}

/** Gives each cluster that lost its last point a half of the one that is spread most. */
function fillEmpty(points: Points, ends: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const distinct = [...new Set(ends)].filter((end) => end > 0);
  while (distinct.length < ends.length) {
    const from = (k: number) => (k === 0 ? 0 : distinct[k - 1]!);
    let widest = -1;
    for (const [k, end] of distinct.entries()) {
      if (end - from(k) < 2) continue;
      if (widest < 0 || spread(points, from(k), end) > spread(points, from(widest), distinct[widest]!)) widest = k;
    }
    const cut = firstAbove(points.x, mean(points, from(widest), distinct[widest]!), false);
    const inside = Math.min(Math.max(cut, from(widest) + 1), distinct[widest]! - 1);
    distinct.splice(widest, 0, inside);
  }
  return Int32Array.from(distinct);
}

/** `D[k][j] = min over i of D[k-1][i] + spread(i, j)`: the ends of the best `count` intervals. */
function exactEnds(points: Points, count: number): Int32Array {
  const n = points.x.length;
  const cuts = Array.from({ length: count }, () => new Int32Array(n + 1));
  let before = Float64Array.from({ length: n + 1 }, (_, j) => spread(points, 0, j));
  for (let k = 1; k < count; k++) {
    const best = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
    fillRow(points, before, best, cuts[k]!, k + 1, n, k, n - 1);
    before = best;
  }
  const ends = new Int32Array(count);
  for (let k = count - 1, end = n; k >= 0; k--) {
    ends[k] = end;
    end = cuts[k]![end]!;
  }
  return ends;
}

/** Fills `best` and `cut` from low to high, whose cuts lie in least..most: the middle first, which bounds the cuts on both sides. */
function fillRow(
  points: Points,
  before: Float64Array,
  best: Float64Array,
  cut: Int32Array,
  low: number,
  high: number,
  least: number,
  most: number,
): void {
  if (low > high) return;
  const j = (low + high) >> 1;
  for (let i = least; i <= Math.min(most, j - 1); i++) {
    const sum = before[i]! + spread(points, i, j);
    if (sum < best[j]!) {
      best[j] = sum;
      cut[j] = i;
    }
  }
  fillRow(points, before, best, cut, low, j - 1, least, cut[j]!);
  fillRow(points, before, best, cut, j + 1, high, cut[j]!, most);
}
