/** The whole page, top to bottom, from one report. One selected stage is shared by the sections that compare with the original. */

import { useState } from "preact/hooks";
import type { Report } from "../../src/report/schema.ts";
import { BeforeAfter } from "./before-after.tsx";
import { CodedWeights } from "./coded-weights.tsx";
import { LayerTable } from "./layer-table.tsx";
import { Measured } from "./measured.tsx";
import { Opening } from "./opening.tsx";
import { Recipe } from "./recipe.tsx";
import { Section } from "./section.tsx";
import { StageNotes } from "./stage-notes.tsx";
import { StageTable } from "./stage-table.tsx";
import { TradeOff } from "./trade-off.tsx";
import { TrainingCurves } from "./training-curves.tsx";
import { TrialTable } from "./trial-table.tsx";

/** A report as a page. */
export function ReportPage({ report }: { readonly report: Report }) {
  const [selected, select] = useState(report.stages.length - 1);
  const compared = report.stages.length > 1;
  const trained = report.stages.some((stage) => stage.training !== null && stage.training.curve.length > 0);
  return (
    <>
      <Opening report={report} />
      <main>
        {(compared || report.trials.length > 0) && (
          <Section id="trade-off" title="Accuracy against cost">
            <TradeOff report={report} />
            <TrialTable trials={report.trials} />
          </Section>
        )}
        {compared && (
          <Section id="before-after" title="Before and after">
            <BeforeAfter report={report} selected={selected} onSelect={select} />
          </Section>
        )}
        <Section id="stages" title="Stages">
          <StageTable report={report} />
          <StageNotes report={report} />
        </Section>
        {trained && (
          <Section id="training" title="Training">
            <TrainingCurves report={report} />
          </Section>
        )}
        <Section id="layers" title="Layers">
          <LayerTable report={report} selected={selected} onSelect={select} />
        </Section>
        {compared && report.stages.some(({ coded }) => coded) && (
          <Section id="coded" title="Weights in the file">
            <CodedWeights report={report} selected={selected} onSelect={select} />
          </Section>
        )}
        <Section id="measured" title="How it was measured">
          <Measured report={report} />
          <Recipe report={report} />
        </Section>
      </main>
      <footer>Made by netpare {report.netpare}. A ratio is original ÷ stage: above 1 is smaller or faster.</footer>
    </>
  );
}
