/** What is said of a stage beyond its figures: what an ensemble averages, how a training kept to its memory. No Node modules. */
import { formatBytes, formatCount, formatPercent } from "./format.ts";
import type { Ensemble, Stage } from "./schema.ts";

type Training = NonNullable<Stage["training"]>;

/** `the average of 5 networks, 85.1 % to 86.9 % alone, two of which differ on 9.8 % of the images`. */
export function describeEnsemble({ members, disagreement }: Ensemble): string {
  const top1 = members.map(({ accuracy }) => accuracy.top1);
  const pairs = disagreement.flatMap((row, i) => row.slice(i + 1));
  const mean = pairs.reduce((a, b) => a + b, 0) / Math.max(1, pairs.length);
  const range = `${formatPercent(Math.min(...top1))} to ${formatPercent(Math.max(...top1))} alone`;
  return `the average of ${members.length} networks, ${range}, two of which differ on ${formatPercent(mean)} of the images`;
}

/** `812 MB of a budget of 900 MB (predicted 840 MB): 23 ranges, 3.42 G MACs a step computed again, 0 B offloaded`. */
export function describeMemory(
  { peakMemoryBytes }: Pick<Training, "peakMemoryBytes">,
  { budgetBytes, predictedBytes, policy, ranges, recomputedMacs, offloadedBytes }: NonNullable<Training["memory"]>,
): string {
  const of = `${formatBytes(peakMemoryBytes)} of a budget of ${formatBytes(budgetBytes)}, predicted ${formatBytes(predictedBytes)}`;
  const parts = ranges === 1 ? "one session" : `${ranges} ranges`;
  return `${of} (policy ${policy}: ${parts}, ${formatCount(recomputedMacs)} MACs a step computed again, ${formatBytes(offloadedBytes)} offloaded)`;
}
