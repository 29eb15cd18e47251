/**
 * Run folder <-> Report. `report.json` is checked against the schema on the way in and on the way out, and both files are written
 * beside and then renamed, so that a reader never meets half of one.
 */

import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type core, z } from "zod";
import { ioReason, writeWhole } from "../files/write-whole.ts";
import { NetpareError } from "../tensor/error.ts";
import { renderHtml } from "./html.ts";
import { type Report, reportSchema } from "./schema.ts";

/** The first thing wrong with a report: `stages[1].accuracy.top1: …`. */
function firstIssue(error: z.ZodError): string {
  const issue: core.$ZodIssue | undefined = error.issues[0];
  if (issue === undefined) return "unknown field";
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : "";
  return `${z.core.toDotPath(issue.path) || "the file"}: ${issue.message}${more}`;
}

/**
 * `value` as a Report.
 * @param source what to call it in an error, usually a path
 * @throws NetpareError `bad-data` naming the first field that is wrong.
 */
export function parseReport(value: unknown, source: string): Report {
  const parsed = reportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new NetpareError("bad-data", `${source} is not a netpare report of version 1: ${firstIssue(parsed.error)}`);
}

/**
 * The report in the run folder `dir`.
 * @throws NetpareError `io` where there is none, `bad-data` where it is not JSON or not a report.
 */
export async function readReport(dir: string): Promise<Report> {
  const path = join(dir, "report.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new NetpareError("io", `No readable ${path}; expected a folder that a netpare run wrote.`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new NetpareError("bad-data", `${path} is not JSON (${detail}); it may be cut short, run again.`, { cause });
  }
  return parseReport(value, path);
}

/**
 * Writes `report.json`, with its digest, and `report.html` into `dir`, which is made where absent.
 * @throws NetpareError `bad-data` where a field is out of range, `io` where the page is not built or the disk refuses.
 */
export async function writeReport(dir: string, report: Report): Promise<void> {
  const valid = parseReport(report, join(dir, "report.json"));
  const signed = { ...valid, digest: digestOf(valid) };
  await writeInto(dir, "report.json", `${JSON.stringify(signed, null, 2)}\n`);
  await writePage(dir, signed);
}

/** Writes `report.html` alone. @throws NetpareError `io` where the page is not built or the disk refuses. */
export async function writePage(dir: string, report: Report): Promise<void> {
  await writeInto(dir, "report.html", renderHtml(report));
}

async function writeInto(dir: string, name: string, content: string): Promise<void> {
  await mkdir(dir, { recursive: true }).catch((cause) => {
    throw new NetpareError("io", `cannot make the folder ${dir}: ${ioReason(cause)}`, { cause });
  });
  await writeWhole(join(dir, name), Buffer.from(content));
}

/** Whether a report is as it was written; false where any figure was changed since, or it has no digest. */
export function reportIsUntouched(report: Report): boolean {
  return report.digest === digestOf(report);
}

function digestOf({ digest: _, ...rest }: Report): string {
  return createHash("sha256").update(JSON.stringify(rest)).digest("hex");
}
