/** Accuracy against file size, latency or MACs: stages, trials and the budget. */

import { useCallback, useMemo, useState } from "preact/hooks";
import { metrics } from "../../src/report/metrics.ts";
import type { Report, Trial } from "../../src/report/schema.ts";
import { Chart } from "./chart.tsx";
import { Segmented } from "./segmented.tsx";
import { drawTradeOff } from "./trade-off-plot.ts";
import { type CostAxis, tradeOffPoints } from "./trade-off-points.ts";

/** File size, latency at the smallest batch and MACs, each where some stage has it. */
function costAxes(report: Report): readonly CostAxis[] {
  const all = metrics(report);
  const axis = (prefix: string, ofTrial: (trial: Trial) => number): readonly CostAxis[] => {
    const metric = all.find(({ key }) => key.startsWith(prefix));
    return metric !== undefined && report.stages.some((stage) => (metric.value(stage) ?? 0) > 0)
      ? [{ metric, ofTrial }]
      : [];
  };
  return [
    ...axis("fileBytes", (trial) => trial.fileBytes),
    ...axis("latency", (trial) => trial.latencyMs),
    ...axis("macs", (trial) => trial.macs),
  ];
}

function TrialsCaption(props: { readonly count: number; readonly below: number }) {
  if (props.count === 0) return null;
  return (
    <>
      {" "}
      Faint dots: {props.count} settings the search tried, judged on the validation split, so not to be compared to the
      digit with the stages; a ring marks those kept.
      {props.below > 0 && ` Triangles: ${props.below} of them lie below the axis.`}
    </>
  );
}

/** The figure with its choice of axis and its caption. */
export function TradeOff({ report }: { readonly report: Report }) {
  const axes = useMemo(() => costAxes(report), [report]);
  const [chosen, choose] = useState(0);
  const axis = axes[chosen];
  const points = useMemo(() => (axis === undefined ? null : tradeOffPoints(report, axis)), [report, axis]);
  const draw = useCallback(
    (width: number) => drawTradeOff(points!, axis!, report.maxDrop, width),
    [points, axis, report.maxDrop],
  );
  if (axis === undefined || points === null) return <p>No stage has a size or a time to plot against.</p>;
  return (
    <figure>
      <Segmented label="Against" options={axes.map(({ metric }) => metric.label)} chosen={chosen} onChoose={choose} />
      <Chart draw={draw} label={`Top-1 accuracy against ${axis.metric.label}; the table of stages has the numbers.`} />
      <figcaption>
        Large dots: stages on the test split, with 95% intervals.
        <TrialsCaption count={points.trials.length} below={points.trials.filter(({ below }) => below).length} />
      </figcaption>
    </figure>
  );
}
