/**
 * Which range of real numbers the 256 levels of an 8-bit value stand for, from what the value takes on sample images.
 *
 * `minmax` spans all that was seen; `percentile` leaves a share of the values outside; `entropy` clips |x| at the threshold
 * whose 8-bit histogram diverges least (Kullback-Leibler) from the true one (Migacz, 8-bit inference with TensorRT, 2017);
 * `mse` clips where the mean squared error of rounding and clipping is least.
 */
import type { Graph } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import type { Facts } from "../ops/infer.ts";
import { type Tensor, toNumbers } from "../tensor/tensor.ts";
import type { Samples } from "./define-method.ts";

export const calibrations = ["minmax", "percentile", "entropy", "mse"] as const;
export type Calibration = (typeof calibrations)[number];

/** What a value takes over samples. */
export interface Statistics {
  low: number;
  high: number;
  /** Counts of equal bins from `low` to `high`; empty where not asked for. */
  readonly histogram: Float64Array;
}

/** A range of real numbers that holds 0. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Step and zero point of unsigned 8-bit values: `x = (q - zeroPoint) · scale`. */
export interface Scale {
  readonly scale: number;
  readonly zeroPoint: number;
}

const bins = 2048;
const levels = 255;

/** Runs `limit` samples and gathers the statistics of `values`; histograms take a second pass. */
export async function measureRanges(
  graph: Graph,
  facts: Facts,
  values: Iterable<string>,
  samples: Samples,
  options: { readonly limit: number; readonly histograms: boolean },
): Promise<Map<string, Statistics>> {
  const found = new Map<string, Statistics>();
  for (const name of values)
    found.set(name, { low: 0, high: 0, histogram: new Float64Array(options.histograms ? bins : 0) });
  const each = (visit: (statistics: Statistics, data: ArrayLike<number>) => void) =>
    runValues(graph, facts, [...found.keys()], samples, options.limit, (name, value) =>
      visit(found.get(name)!, numbers(value)),
    );
  await each(widen);
  if (options.histograms) await each(count);
  return found;
}

/** Runs `limit` samples and shows each batch of `values`, the graph's inputs among them. */
export function runValues(
  graph: Graph,
  facts: Facts,
  values: readonly string[],
  samples: Samples,
  limit: number,
  visit: (name: string, value: Tensor) => void,
): Promise<void> {
  const seen = (name: string) => `${name}:seen`;
  const inputs = new Set(graph.inputs.map((input) => input.name));
  // A graph's output cannot be its input, so that an input is shown through an Identity.
  const copies = values.filter((name) => inputs.has(name));
  const shown = removeDead({
    ...graph,
    nodes: [
      ...graph.nodes,
      ...copies.map((name) => ({
        name: seen(name),
        op: "Identity",
        domain: "",
        inputs: [name],
        outputs: [seen(name)],
        attributes: {},
      })),
    ],
    outputs: values.map((name) => ({ name: inputs.has(name) ? seen(name) : name, ...facts.get(name)! })),
  });
  return samples.run(
    shown,
    (outputs) => {
      for (const name of values) visit(name, outputs.get(inputs.has(name) ? seen(name) : name)!);
    },
    limit,
  );
}

const numbers = (t: Tensor): ArrayLike<number> => (t.dtype === "float32" ? (t.data as Float32Array) : toNumbers(t));

function widen(statistics: Statistics, data: ArrayLike<number>): void {
  let { low, high } = statistics;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (x < low) low = x;
    else if (x > high) high = x;
  }
  statistics.low = low;
  statistics.high = high;
}

function count({ low, high, histogram }: Statistics, data: ArrayLike<number>): void {
  const perUnit = high > low ? bins / (high - low) : 0;
  for (let i = 0; i < data.length; i++) histogram[Math.min(bins - 1, Math.floor((data[i]! - low) * perUnit))]!++;
}

/** The range by a calibration; `percentile` is in percent. */
export function chooseRange(statistics: Statistics, calibration: Calibration, percentile: number): Range {
  switch (calibration) {
    case "minmax":
      return { low: statistics.low, high: statistics.high };
    case "percentile":
      return byPercentile(statistics, 1 - percentile / 100);
    case "entropy":
      return clip(statistics, byDivergence(statistics));
    case "mse":
      return byError(statistics);
  }
}

/** The scale of a range, in float32; a range of one point gets the step 1. */
export function scaleOf({ low, high }: Range): Scale {
  const scale = Math.fround((high - low) / levels);
  if (!(scale > 0)) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: Math.min(levels, Math.max(0, Math.round(-low / scale))) };
}

const clip = ({ low, high }: Statistics, threshold: number): Range => ({
  low: Math.max(low, -threshold),
  high: Math.min(high, threshold),
});

function byPercentile({ low, high, histogram }: Statistics, outside: number): Range {
  const total = histogram.reduce((a, b) => a + b, 0);
  const width = (high - low) / bins;
  const allowed = outside * total;
  let [first, last] = [0, bins - 1];
  for (let seen = histogram[first]!; first < bins - 1 && seen <= allowed; seen += histogram[first]!) first++;
  for (let seen = histogram[last]!; last > 0 && seen <= allowed; seen += histogram[last]!) last--;
  return { low: Math.min(0, low + first * width), high: Math.max(0, low + (last + 1) * width) };
}

/** The histogram of |x| on `[0, max|x|]`. */
function magnitudes({ low, high, histogram }: Statistics): { counts: Float64Array; width: number } {
  const largest = Math.max(-low, high);
  const counts = new Float64Array(bins);
  const width = largest / bins;
  histogram.forEach((n, i) => {
    const centre = low + ((i + 0.5) * (high - low)) / bins;
    if (n > 0) counts[Math.min(bins - 1, Math.floor(Math.abs(centre) / width))]! += n;
  });
  return { counts, width };
}

/** The threshold with the least `Σ p·log(p/q)`, p the clipped histogram and q its 8-bit form spread over p's support. */
function byDivergence(statistics: Statistics): number {
  const { counts, width } = magnitudes(statistics);
  // The zeros that Relu makes are exact in any scale; as a spike they would outweigh all that rounding changes.
  counts[0] = counts[1]!;
  const cells = statistics.low < 0 ? 128 : 256;
  let best = { divergence: Number.POSITIVE_INFINITY, at: bins };
  let outside = counts.slice(cells).reduce((a, b) => a + b, 0);
  for (let size = cells; size <= bins; size++) {
    const divergence = divergenceAt(counts, size, cells, outside);
    if (divergence < best.divergence) best = { divergence, at: size };
    outside -= counts[size] ?? 0;
  }
  return best.at * width;
}

function divergenceAt(counts: Float64Array, size: number, cells: number, outside: number): number {
  let total = outside;
  for (let i = 0; i < size; i++) total += counts[i]!;
  let divergence = 0;
  let kept = 0;
  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor((cell * size) / cells);
    const to = Math.floor(((cell + 1) * size) / cells);
    let [sum, occupied] = [0, 0];
    for (let i = from; i < to; i++) {
      sum += counts[i]!;
      if (counts[i]! > 0 || (i === size - 1 && outside > 0)) occupied++;
    }
    kept += sum;
    for (let i = from; i < to; i++) {
      const p = counts[i]! + (i === size - 1 ? outside : 0);
      // What was clipped counts in p alone, so that q may be 0 where p is not: the bin then has half a count.
      if (p > 0) divergence += (p / total) * Math.log(p / Math.max(sum / occupied, 0.5));
    }
  }
  return divergence + Math.log(Math.max(kept, 0.5) / total);
}

/** Ends of a range that are tried, as shares of what was seen. */
const shares = Array.from({ length: 56 }, (_, i) => (i + 9) / 64);

/** The range with the least squared error: step²/12 for what is inside, the excess squared for what is not. */
function byError(statistics: Statistics): Range {
  const { low, high } = statistics;
  let best = { low, high };
  // One end at a time, each twice, since the step depends on both.
  for (const end of ["high", "low", "high", "low"] as const) {
    if (statistics[end] === 0) continue;
    const candidates = shares.map((share) => ({ ...best, [end]: share * statistics[end] }));
    const errors = candidates.map((range) => rangeError(statistics, range));
    best = candidates[errors.indexOf(Math.min(...errors))]!;
  }
  return best;
}

function rangeError({ low, high, histogram }: Statistics, range: Range): number {
  const width = (high - low) / bins;
  const rounding = ((range.high - range.low) / levels) ** 2 / 12;
  let error = 0;
  for (let i = 0; i < bins; i++) {
    const x = low + (i + 0.5) * width;
    const excess = Math.max(0, x - range.high, range.low - x);
    error += histogram[i]! * (excess > 0 ? excess * excess : rounding);
  }
  return error;
}
