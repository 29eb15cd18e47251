/** Bars of every compared quantity, original above selected stage, each pair on its own scale. */

import { formatRatio } from "../../src/report/format.ts";
import { latencyAt, latencySettings, type Metric, metricRatio, metrics } from "../../src/report/metrics.ts";
import type { Report, Stage } from "../../src/report/schema.ts";
import { originalStage } from "../../src/report/summary.ts";
import { ratioClass } from "./ratio-class.ts";
import { StagePicker } from "./stage-picker.tsx";

function Bar(props: { readonly kind: "was" | "is"; readonly share: number; readonly text: string }) {
  return (
    <div class="bar">
      <span class="track">
        <span class={`fill ${props.kind}`} style={{ width: `${Math.max(0.4, props.share * 100)}%` }} />
      </span>
      <span class="value">{props.text}</span>
    </div>
  );
}

function spreadText(report: Report, stage: Stage, metric: Metric): string {
  const setting = latencySettings(report).find(({ batch, threads }) => metric.key === `latency-${batch}-${threads}`);
  const row = setting === undefined ? null : latencyAt(stage, setting);
  return row === null ? "" : ` (${metric.format(row.p10)} – ${metric.format(row.p90)})`;
}

function MetricRow(props: { readonly report: Report; readonly metric: Metric; readonly stage: Stage }) {
  const { report, metric, stage } = props;
  const original = originalStage(report);
  const before = metric.value(original);
  const after = metric.value(stage);
  const most = Math.max(before ?? 0, after ?? 0) || 1;
  const ratio = metricRatio(metric, original, stage);
  return (
    <tr>
      <th scope="row" class="quantity">
        {metric.label}
      </th>
      <td class="bars">
        <Bar
          kind="was"
          share={(before ?? 0) / most}
          text={metric.format(before) + spreadText(report, original, metric)}
        />
        <Bar kind="is" share={(after ?? 0) / most} text={metric.format(after) + spreadText(report, stage, metric)} />
      </td>
      <td class={`ratio ${ratioClass(ratio)}`}>{formatRatio(ratio)}</td>
    </tr>
  );
}

/** The bars with the choice of stage. */
export function BeforeAfter(props: {
  readonly report: Report;
  readonly selected: number;
  readonly onSelect: (index: number) => void;
}) {
  const stage = props.report.stages[props.selected]!;
  const hasLatency = latencySettings(props.report).length > 0;
  return (
    <>
      <StagePicker {...props} />
      <table class="before-after">
        <caption>
          <span class="key was" /> original <span class="key is" /> {stage.name}. Ratio: original ÷ {stage.name}.
          {hasLatency && " Latency: median (10th to 90th percentile)."}
        </caption>
        <thead class="visually-hidden">
          <tr>
            <th scope="col">Quantity</th>
            <th scope="col">Original, then {stage.name}</th>
            <th scope="col">Ratio</th>
          </tr>
        </thead>
        <tbody>
          {metrics(props.report).map((metric) => (
            <MetricRow key={metric.key} report={props.report} metric={metric} stage={stage} />
          ))}
        </tbody>
      </table>
    </>
  );
}
