/**
 * The network's outline, pared: one bar a layer from input to output, its height the bytes of the layer's weights; the
 * original's outline stands around the result's solid bars. Heights share one linear scale.
 */

import { alignLayers } from "../../src/report/align.ts";
import { formatBytes } from "../../src/report/format.ts";
import type { Report } from "../../src/report/schema.ts";
import { originalStage, resultStage } from "../../src/report/summary.ts";

const height = 120;
const pitch = 10;
const barWidth = 7;
const widestPitch = 44;

/** Drawn where both stages have weights to show. */
export function Silhouette({ report }: { readonly report: Report }) {
  const original = originalStage(report);
  const result = resultStage(report);
  const rows = alignLayers(original.layers, result === original ? [] : result.layers).filter(
    ({ before, after }) => (before?.weightBytes ?? 0) > 0 || (after?.weightBytes ?? 0) > 0,
  );
  if (rows.length < 2) return null;
  const most = Math.max(
    ...rows.map(({ before, after }) => Math.max(before?.weightBytes ?? 0, after?.weightBytes ?? 0)),
  );
  const bar = (bytes: number, index: number, className: string) => {
    const size = Math.max(bytes > 0 ? 1.5 : 0, (bytes / most) * height);
    return (
      <rect
        class={className}
        x={index * pitch + (pitch - barWidth) / 2}
        y={(height - size) / 2}
        width={barWidth}
        height={size}
        rx={1}
      />
    );
  };
  const total = (of: "before" | "after") => rows.reduce((sum, row) => sum + (row[of]?.weightBytes ?? 0), 0);
  const description = `${rows.length} layers with weights: ${formatBytes(total("before"))} of weights in the original${
    result === original ? "" : `, ${formatBytes(total("after"))} in ${result.name}`
  }`;
  return (
    <figure class="silhouette">
      <svg
        viewBox={`0 -1 ${rows.length * pitch} ${height + 2}`}
        preserveAspectRatio="none"
        style={{ maxWidth: `${rows.length * widestPitch}px` }}
        role="img"
        aria-label={description}
      >
        {rows.map(({ before, after }, index) => (
          <g key={index}>
            {before !== null && bar(before.weightBytes, index, "was")}
            {after !== null && bar(after.weightBytes, index, "is")}
          </g>
        ))}
      </svg>
      <figcaption>
        One bar a layer, input to output; height is the bytes of its weights. <span class="key was" /> original,{" "}
        {formatBytes(total("before"))}
        {result !== original && (
          <>
            {" "}
            <span class="key is" /> {result.name}, {formatBytes(total("after"))}
          </>
        )}
      </figcaption>
    </figure>
  );
}
