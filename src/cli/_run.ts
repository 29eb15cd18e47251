/** What the commands that fill a run folder share: options, progress, Ctrl-C, and how the result is shown. */
import { join } from "node:path";
import { z } from "zod";
import type { Preprocessing } from "../data/index.ts";
import { findImageInput } from "../engine/image-input.ts";
import { Interrupted, type Reporter } from "../pipeline/progress.ts";
import type { RunRequest } from "../pipeline/run.ts";
import type { Report } from "../report/schema.ts";
import { budgetVerdict } from "../report/summary.ts";
import { renderTable } from "../report/terminal.ts";
import { type GivenPreprocessing, openData, preprocessingOptions, resolvePreprocessing } from "./_data-options.ts";
import { type Host, Stopped } from "./_host.ts";
import { loadModel } from "./_model-file.ts";
import type { Progress } from "./_progress.ts";
import type { CommandResult } from "./define-command.ts";

/** Options of every command that fills a run folder. */
export const runOptions = {
  out: z.string().meta({ metavar: "DIR", description: "folder of the run" }),
  resume: z.boolean().default(false).describe("go on with the run in --out where it was stopped or killed"),
};

/** Shows a run's notes as lines and its steps as progress. */
export function createReporter(host: Host): Reporter {
  let shown: { readonly what: string; readonly progress: Progress } | undefined;
  return {
    note(text) {
      shown = undefined;
      host.note(text);
    },
    progress(done, total, what, detail) {
      if (shown?.what !== what) shown = { what, progress: host.progress(what) };
      shown.progress.update(done, total, detail);
    },
  };
}

/**
 * Runs `work` in the folder of the options and shows the report. Exit status 1 where an accuracy budget does not hold.
 * @throws Stopped after Ctrl-C, once all is whole.
 */
export async function performRun(
  { out, resume }: { readonly out: string; readonly resume: boolean },
  host: Host,
  work: (request: RunRequest) => Promise<Report>,
): Promise<CommandResult> {
  try {
    const report = await host.stoppable((signal) =>
      work({ directory: out, resume, reporter: createReporter(host), signal }),
    );
    host.clear();
    return showReport(report, out);
  } catch (error) {
    if (error instanceof Interrupted) throw new Stopped("stopped; go on with the same command and --resume");
    throw error;
  }
}

function showReport(report: Report, directory: string): CommandResult {
  const table = renderTable(report, { colour: process.stdout.isTTY, width: process.stdout.columns ?? 100 });
  const model = join(directory, report.stages[report.stages.length - 1]!.file);
  return {
    json: report,
    text: `${table}\n\nModel: ${model}\nPage:  ${join(directory, "report.html")}`,
    exitCode: budgetVerdict(report)?.held === false ? 1 : 0,
  };
}

/** The preprocessing that flags name, upon what the model or else the data says; undefined where no flag is given. */
export async function givenPreprocessing(
  given: GivenPreprocessing,
  model: string,
  data: string,
  host: Host,
): Promise<Preprocessing | undefined> {
  const flags = Object.keys(preprocessingOptions) as (keyof GivenPreprocessing)[];
  if (flags.every((flag) => given[flag] === undefined)) return undefined;
  const { graph } = await loadModel(model);
  return resolvePreprocessing(given, graph, await openData(data, findImageInput(graph), host));
}
