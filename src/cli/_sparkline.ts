/** A curve in one line of text: eight heights of blocks, from the least value to the largest. */

const blocks = [..."▁▂▃▄▅▆▇█"];

/** The values as at most `width` blocks; where there are more values, neighbours are averaged. All equal values stand half high. */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length);
  const heights = Array.from({ length: count }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count));
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  return heights
    .map((height) => blocks[high > low ? Math.round(((height - low) / (high - low)) * (blocks.length - 1)) : 3]!)
    .join("");
}
