/** `netpare report`: what a run measured, as a table; the page is written anew beside it. */
import { join } from "node:path";
import { z } from "zod";
import { readReport, writePage } from "../report/read.ts";
import { renderTable } from "../report/terminal.ts";
import { defineCommand } from "./define-command.ts";

export const reportCommand = defineCommand({
  name: "report",
  summary: "print a run's report and write its page",
  arguments: [["<dir>", "a run's folder"]],
  options: z.object({}),
  examples: ["report runs/resnet32", "report runs/resnet32 --json"],
  async run({ args }) {
    const dir = args[0] ?? "";
    const report = await readReport(dir);
    await writePage(dir, report);
    const table = renderTable(report, { colour: process.stdout.isTTY, width: process.stdout.columns ?? 100 });
    return { json: report, text: `${table}\n\nPage: ${join(dir, "report.html")}` };
  },
});
