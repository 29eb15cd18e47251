/** From a network's scores to ranked classes: `p = softmax(scores)`, which is left out where the scores are probabilities. */

export interface RankedClass {
  readonly index: number;
  readonly name: string;
  /** In [0, 1]. */
  readonly probability: number;
}

/** The classes by falling probability. Scores that are all in [0, 1] and add up to 1 are probabilities already. */
export function rankClasses(scores: ArrayLike<number>, names: readonly string[]): RankedClass[] {
  const values = Array.from(scores);
  const total = values.reduce((sum, v) => sum + v, 0);
  const given = values.every((v) => v >= 0 && v <= 1) && Math.abs(total - 1) < 1e-3;
  const largest = Math.max(...values);
  const powers = given ? values : values.map((v) => Math.exp(v - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers
    .map((power, index) => ({ index, name: names[index] ?? String(index), probability: power / sum }))
    .sort((a, b) => b.probability - a.probability);
}
