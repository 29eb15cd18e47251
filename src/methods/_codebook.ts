/** The codebook of a weight: the few values that its elements take, zeros apart. */
import { type Clustering, exactLimit, kmeans1d } from "../math/kmeans-1d.ts";
import type { Random } from "../tensor/random.ts";

/** Weights as indices into a codebook. */
export interface Codebook {
  readonly values: Float32Array<ArrayBuffer>;
  readonly indices: Uint8Array<ArrayBuffer>;
  /** `‖W - values[indices]‖ / ‖W‖`. */
  readonly error: number;
}

/** The codebook of 2^bits values; undefined where the weights are no more than those. Zeros have index 0. */
export function findCodebook(
  weights: Float32Array,
  bits: number,
  clustering: Clustering,
  random: Random,
): Codebook | undefined {
  const most = 2 ** bits;
  if (weights.length <= most) return undefined;
  const left = weights.filter((value) => value !== 0);
  if (left.length === 0) return { values: new Float32Array(1), indices: new Uint8Array(weights.length), error: 0 };
  const zeros = left.length < weights.length ? 1 : 0;
  const clusters = most - zeros;
  const fits = clustering !== "exact" || new Set(left).size * clusters <= exactLimit;
  const found = kmeans1d(left, clusters, { clustering: fits ? clustering : "plusplus", random });
  const values = new Float32Array(found.centroids.length + zeros);
  values.set(found.centroids, zeros);
  let next = 0;
  const indices = Uint8Array.from(weights, (value) => (value === 0 ? 0 : found.members[next++]! + zeros));
  const norm = left.reduce((sum, value) => sum + value * value, 0);
  return { values, indices, error: Math.sqrt(found.error / norm) };
}
