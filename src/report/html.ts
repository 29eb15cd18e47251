/**
 * A report as one HTML page that needs no network. The page is built from `web/` into `dist/web/report.html`; here the report
 * is put into its data block. Every `<` is written as `\u003c`, so no text of a report can close the block, and the page
 * renders text as text only.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NetpareError } from "../tensor/error.ts";
import type { Report } from "./schema.ts";

const templateUrl = new URL("../../dist/web/report.html", import.meta.url);
const dataBlock = /(<script type="application\/json" id="report-data">)[^<]*(<\/script>)/g;

/** JSON that is safe inside a script element: no `<`, and no line separators. */
export function scriptSafeJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

/** `template` with `report` in its data block. */
export function injectReport(template: string, report: Report): string {
  const found = [...template.matchAll(dataBlock)].length;
  if (found !== 1) throw new Error(`internal: the report page has ${found} data blocks, not 1`);
  const json = scriptSafeJson(report);
  return template.replace(dataBlock, (_, open: string, close: string) => `${open}${json}${close}`);
}

/**
 * The report's self-contained page.
 * @throws NetpareError `io` where the page has not been built.
 */
export function renderHtml(report: Report): string {
  const path = fileURLToPath(templateUrl);
  let template: string;
  try {
    template = readFileSync(path, "utf8");
  } catch (cause) {
    throw new NetpareError("io", `The report page is not at ${path}; build it with: npm run build:web`, { cause });
  }
  return injectReport(template, report);
}
