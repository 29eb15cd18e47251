/** The conditions of measurement, from the report's own numbers. */

import { energyMethod } from "../../src/report/energy-note.ts";
import { formatBytes, formatInteger } from "../../src/report/format.ts";
import { energySourceOf } from "../../src/report/metrics.ts";
import type { Report } from "../../src/report/schema.ts";
import { originalStage } from "../../src/report/summary.ts";
import { Fact } from "./fact.tsx";

function latencyText(report: Report): string {
  const rows = originalStage(report).latencyMs;
  if (rows.length === 0) return "not measured";
  const settings = rows.map(
    ({ batch, threads, runs }) => `batch ${batch} on ${threads} ${threads === 1 ? "thread" : "threads"}, ${runs} runs`,
  );
  return `median time of one batch, all stages in alternation in one process: ${settings.join("; ")}`;
}

/** Machine, data, and how each quantity came about. */
export function Measured({ report }: { readonly report: Report }) {
  const { machine, data } = report;
  const energySource = energySourceOf(report);
  return (
    <dl class="measured">
      <Fact label="Files">
        every figure was measured on, or counted from, the exported files named above, not on a network in training
      </Fact>
      <Fact label="Accuracy">
        share of the {formatInteger(data.testSamples)} test images whose most likely class is right; Wilson's interval
        at 95%
      </Fact>
      <Fact label="Agreement">share of test images on which a stage and the original name the same class</Fact>
      <Fact label="Latency">{latencyText(report)}</Fact>
      <Fact label="Memory">peak resident memory of a fresh process that loads the file and runs it at batch 1</Fact>
      {energySource !== null && <Fact label="Energy">{energyMethod(energySource)}</Fact>}
      <Fact label="MACs">multiply-adds for one image, counted from the graph</Fact>
      <Fact label="Machine">
        {machine.cpu}, {machine.cores} cores, {formatBytes(machine.memoryBytes)}, {machine.platform}; Node{" "}
        {machine.node}, onnxruntime {machine.onnxruntime}
      </Fact>
      <Fact label="Data">
        {data.name} (<code>{data.spec}</code>): {formatInteger(data.trainSamples)} to train,{" "}
        {formatInteger(data.validationSamples)} to choose by, {formatInteger(data.testSamples)} to test;{" "}
        {data.classes.length} classes: {data.classes.join(", ")}
      </Fact>
    </dl>
  );
}
