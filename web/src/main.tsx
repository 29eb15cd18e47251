/** Loads the report and draws the page. */

import { render } from "preact";
import { headline } from "../../src/report/summary.ts";
import { LoadFailure } from "./load-failure.tsx";
import { loadEmbeddedReport } from "./load-report.ts";
import { ReportPage } from "./report-page.tsx";
import "./style.css";

const page = document.getElementById("page")!;
page.replaceChildren();
try {
  const report = await loadEmbeddedReport();
  document.title = headline(report);
  render(<ReportPage report={report} />, page);
} catch (error) {
  render(<LoadFailure message={error instanceof Error ? error.message : String(error)} />, page);
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
