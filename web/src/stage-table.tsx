/** Every stage with every quantity and its ratio to the original. */

import { formatDuration, formatJoules, formatPercent, formatPoints, formatRatio } from "../../src/report/format.ts";
import { type Metric, metricRatio, metrics } from "../../src/report/metrics.ts";
import type { Report, Stage } from "../../src/report/schema.ts";
import { originalStage } from "../../src/report/summary.ts";
import { ratioClass } from "./ratio-class.ts";
import { ScrollBox } from "./scroll-box.tsx";

function MetricCell(props: { readonly metric: Metric; readonly original: Stage; readonly stage: Stage }) {
  const { metric, original, stage } = props;
  const ratio = metricRatio(metric, original, stage);
  return (
    <td>
      {metric.format(metric.value(stage))}
      {stage !== original && <small class={ratioClass(ratio)}>{formatRatio(ratio)}</small>}
    </td>
  );
}

function TrainingCell({ training }: { readonly training: Stage["training"] }) {
  if (training === null) return <td>–</td>;
  const { energy } = training;
  return (
    <td>
      {formatDuration(training.seconds)}
      {energy && <small>{formatJoules(energy.joules)}</small>}
      {energy?.source === "estimate" && <small>(estimate)</small>}
    </td>
  );
}

function StageRow(props: { readonly report: Report; readonly stage: Stage; readonly columns: readonly Metric[] }) {
  const { report, stage, columns } = props;
  const original = originalStage(report);
  const { top1, top5, interval } = stage.accuracy;
  const delta = stage === original ? "" : `, ${formatPoints(top1 - original.accuracy.top1)}`;
  return (
    <tr>
      <th scope="row" class="stage-name">
        {stage.name}
        <small>{stage.method ?? "as given"}</small>
      </th>
      <td>
        {formatPercent(top1)}
        <small>
          {formatPercent(interval[0])} to {formatPercent(interval[1])}
          {delta}
        </small>
      </td>
      <td>{formatPercent(top5)}</td>
      <td>{stage === original ? "–" : formatPercent(stage.agreement)}</td>
      {columns.map((metric) => (
        <MetricCell key={metric.key} metric={metric} original={original} stage={stage} />
      ))}
      <TrainingCell training={stage.training} />
    </tr>
  );
}

function ColumnHead({ metric: { key, label, short } }: { readonly metric: Metric }) {
  const condition = key.startsWith("latency")
    ? short
    : key === "energy"
      ? short.replace("energy", "").trim() || " "
      : " ";
  return (
    <>
      {label.replace(/ \(.*| size|,.*| per image.*/, "")}
      <small>{condition}</small>
    </>
  );
}

/** One row a stage. */
export function StageTable({ report }: { readonly report: Report }) {
  const columns = metrics(report);
  return (
    <ScrollBox label="Table of stages">
      <table class="stages">
        <caption class="visually-hidden">Stages, each with its ratio to the original</caption>
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th scope="col">
              Top-1<small>95% interval, change</small>
            </th>
            <th scope="col">Top-5</th>
            <th scope="col">
              Agreement<small>with original</small>
            </th>
            {columns.map((metric) => (
              <th key={metric.key} scope="col" title={metric.label}>
                <ColumnHead metric={metric} />
              </th>
            ))}
            <th scope="col">Training</th>
          </tr>
        </thead>
        <tbody>
          {report.stages.map((stage, index) => (
            <StageRow key={index} report={report} stage={stage} columns={columns} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
