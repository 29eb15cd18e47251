/**
 * Where the page's report comes from: here, the data block of the page itself. A live page needs only another function of the
 * same type. The report was checked against the schema when it was written, so it is not checked again.
 */

import type { Report } from "../../src/report/schema.ts";

/** Finds a report. */
export type LoadReport = () => Promise<Report>;

/** The report in the page's own data block. Rejects with a message for the reader where there is none. */
export const loadEmbeddedReport: LoadReport = async () => {
  const text = document.getElementById("report-data")?.textContent?.trim() ?? "";
  if (text === "") throw new Error("This page holds no report. Make one with: netpare report DIR");
  return JSON.parse(text) as Report;
};
