/** What is said of a stage beyond its figures: what an ensemble averages, its memory in training, its `.pare` file. No Node modules. */
import { formatBytes, formatCount, formatPercent, formatRatio } from "./format.ts";
import type { Coded, Ensemble, Report, Stage } from "./schema.ts";
import { originalStage } from "./summary.ts";

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

/** `5.73 kB (301×), 99.33 % right in the runtime: 1.1 % of the weights left, 0.10 bits a weight; static Huffman codes would take 17 % more`. */
export function describeCoded(report: Report, { fileBytes, accuracy, weights }: Coded): string {
  const ratio = formatRatio(originalStage(report).fileBytes / fileBytes);
  const bits = ((8 * weights.bytes) / Math.max(1, weights.count)).toPrecision(2);
  const more = weights.huffmanBytes / Math.max(1, weights.bytes) - 1;
  const left = weights.density < 1 ? `${formatPercent(weights.density)} of the weights left, ` : "";
  return (
    `${formatBytes(fileBytes)} (${ratio}), ${formatPercent(accuracy.top1, 2)} right in the runtime: ${left}${bits} bits a weight; ` +
    `static Huffman codes would take ${formatPercent(Math.abs(more))} ${more < 0 ? "less" : "more"}`
  );
}
