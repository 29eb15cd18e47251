/** Loss, accuracy and learning rate of every stage that trained. */

import { useCallback, useMemo } from "preact/hooks";
import { describeTrainingEnergy } from "../../src/report/energy-note.ts";
import { formatBytes, formatDuration, formatPercent } from "../../src/report/format.ts";
import type { CurvePoint, Report, Stage } from "../../src/report/schema.ts";
import { describeMemory } from "../../src/report/stage-facts.ts";
import { Chart } from "./chart.tsx";
import { drawCurve, type Series } from "./curve-plot.ts";

type Training = NonNullable<Stage["training"]>;

function seriesOf(
  name: string,
  colour: string,
  curve: readonly CurvePoint[],
  value: (point: CurvePoint) => number | null,
): Series {
  const points = curve.flatMap((point) => {
    const y = value(point);
    return y === null ? [] : [{ epoch: point.epoch, value: y }];
  });
  return { name, colour, points };
}

function Curve(props: {
  readonly title: string;
  readonly stage: string;
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}) {
  const { title, series, format } = props;
  const draw = useCallback((width: number) => drawCurve(title, series, format, width), [title, series, format]);
  const ends = series.flatMap(({ name, points }) => {
    const last = points.at(-1);
    return last === undefined ? [] : [`${name} ends at ${format(last.value)}`];
  });
  return <Chart draw={draw} label={`${props.stage}, ${title} over epochs: ${ends.join(", ")}`} />;
}

const formatAccuracy = (value: number) => formatPercent(value, 0);
const formatNumber = (value: number) => String(Number(value.toPrecision(3)));

function StageCurves({ stage, training }: { readonly stage: Stage; readonly training: Training }) {
  const { curve } = training;
  const [loss, accuracy, rate] = useMemo(
    () => [
      [seriesOf("loss", "var(--is)", curve, (point) => point.loss)],
      [
        seriesOf("train", "var(--muted)", curve, (point) => point.accuracy),
        seriesOf("validation", "var(--is)", curve, (point) => point.validationAccuracy),
      ].filter(({ points }) => points.length > 0),
      [seriesOf("learning rate", "var(--is)", curve, (point) => point.learningRate)],
    ],
    [curve],
  );
  const speed = curve.reduce((sum, point) => sum + point.imagesPerSecond, 0) / curve.length;
  return (
    <article class="training">
      <h3>{stage.name}</h3>
      <p class="note">
        {training.epochs} epochs in {formatDuration(training.seconds)}, {Math.round(speed)} images a second, peak memory{" "}
        {formatBytes(training.peakMemoryBytes)}
        {training.energy && `, energy ${describeTrainingEnergy(training.energy)}`}
        {training.memory && `; memory ${describeMemory(training, training.memory)}`}
      </p>
      <div class="curves">
        <Curve title="loss" stage={stage.name} series={loss!} format={formatNumber} />
        <Curve title="accuracy" stage={stage.name} series={accuracy!} format={formatAccuracy} />
        <Curve title="learning rate" stage={stage.name} series={rate!} format={formatNumber} />
      </div>
    </article>
  );
}

/** One row of figures a trained stage. */
export function TrainingCurves({ report }: { readonly report: Report }) {
  return (
    <>
      {report.stages.map((stage, index) =>
        stage.training === null || stage.training.curve.length === 0 ? null : (
          <StageCurves key={index} stage={stage} training={stage.training} />
        ),
      )}
    </>
  );
}
