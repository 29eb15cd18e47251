/** The page's head: what came out, the network's outline before and after, and the conditions in one glance. */

import { formatBytes, formatDate, formatDuration, formatInteger } from "../../src/report/format.ts";
import type { Report } from "../../src/report/schema.ts";
import { budgetVerdict } from "../../src/report/summary.ts";
import { DownloadReport } from "./download-report.tsx";
import { Fact } from "./fact.tsx";
import { Headline } from "./headline.tsx";
import { Silhouette } from "./silhouette.tsx";

function BudgetFact({ report }: { readonly report: Report }) {
  const verdict = budgetVerdict(report);
  if (verdict === null) return null;
  const points = Math.abs(verdict.drop * 100).toFixed(1);
  return (
    <Fact label="Accuracy budget">
      at most {(verdict.maxDrop * 100).toFixed(1)} points;{" "}
      <strong class={verdict.held ? "held" : "broken"}>
        {verdict.drop >= 0 ? "lost" : "gained"} {points}
        {verdict.held ? "" : ", not held"}
      </strong>
    </Fact>
  );
}

/** Headline, silhouette and facts. */
export function Opening({ report }: { readonly report: Report }) {
  const { machine, data } = report;
  return (
    <header>
      <div class="masthead">
        <span class="brand">netpare</span>
        <DownloadReport report={report} />
      </div>
      <Headline report={report} />
      <Silhouette report={report} />
      <dl class="facts">
        <Fact label="Data">
          {data.name}, {formatInteger(data.testSamples)} test images
        </Fact>
        <Fact label="Machine">
          {machine.cpu}, {machine.cores} cores, {formatBytes(machine.memoryBytes)}
        </Fact>
        <BudgetFact report={report} />
        <Fact label="Date">{formatDate(report.created)}</Fact>
        <Fact label="Whole run">{formatDuration(report.totalSeconds)}</Fact>
        <Fact label="Seed">{report.seed}</Fact>
      </dl>
    </header>
  );
}
