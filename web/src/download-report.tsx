/** Saves the embedded report as report.json. */

import type { Report } from "../../src/report/schema.ts";

function save(report: Report): void {
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "report.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A button; the file it saves is byte for byte what a run writes. */
export function DownloadReport({ report }: { readonly report: Report }) {
  return (
    <button type="button" class="quiet" onClick={() => save(report)}>
      Download report.json
    </button>
  );
}
