/** Accuracy against file size, latency or MACs: stages, trials and the budget. */

import { useCallback, useMemo, useState } from "preact/hooks";
import { metrics } from "../../src/report/metrics.ts";
import type { Report } from "../../src/report/schema.ts";
import { Chart } from "./chart.tsx";
import { Segmented } from "./segmented.tsx";
import { type CostAxis, drawTradeOff, trialsBelow } from "./trade-off-plot.ts";

function costAxes(report: Report): readonly CostAxis[] {
  const all = metrics(report);
  const latency = all.find((metric) => metric.key.startsWith("latency"));
  return [
    { metric: all.find((metric) => metric.key === "fileBytes")!, ofTrial: (trial) => trial.fileBytes },
    ...(latency === undefined ? [] : [{ metric: latency, ofTrial: (trial: { latencyMs: number }) => trial.latencyMs }]),
    { metric: all.find((metric) => metric.key === "macs")!, ofTrial: (trial) => trial.macs },
  ];
}

/** The figure with its choice of axis and its caption. */
export function TradeOff({ report }: { readonly report: Report }) {
  const axes = useMemo(() => costAxes(report), [report]);
  const [chosen, choose] = useState(0);
  const axis = axes[chosen]!;
  const draw = useCallback((width: number) => drawTradeOff(report, axis, width), [report, axis]);
  const below = trialsBelow(report, axis);
  return (
    <figure>
      <Segmented label="Against" options={axes.map(({ metric }) => metric.label)} chosen={chosen} onChoose={choose} />
      <Chart
        draw={draw}
        label={`Top-1 accuracy against ${axis.metric.label}; the same numbers are in the table of stages.`}
      />
      <figcaption>
        Large dots: stages on the test split, with 95% intervals.
        {report.trials.length > 0 &&
          ` Faint dots: ${report.trials.length} settings the search tried, on the validation split, so not comparable to the digit with the stages.`}
        {below > 0 && ` Triangles: ${below} of them lie below the axis.`}
      </figcaption>
    </figure>
  );
}
