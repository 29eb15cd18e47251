/**
 * `run` and `optimize`: opens the folder and the data, goes on where an earlier session was killed, executes, writes the report.
 * What a run is about is fixed when it begins, in run.json: a resumed run must ask for the same.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { readPreprocessing, withPreprocessing } from "../data/preprocessing.ts";
import { readModel } from "../onnx/index.ts";
import { writeReport } from "../report/read.ts";
import type { Report } from "../report/schema.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Execution, executeRecipe } from "./execute.ts";
import type { Reporter } from "./progress.ts";
import { checkRecipe, type Recipe } from "./recipe.ts";
import { openRunData } from "./run-data.ts";
import { openRunFolder, type RunFolder } from "./run-folder.ts";
import { type SearchOptions, searchSchema, searchStages } from "./search.ts";

export interface RunRequest {
  readonly directory: string;
  readonly resume: boolean;
  readonly reporter: Reporter;
  readonly signal?: AbortSignal | undefined;
}

const runSchema = z.object({ created: z.string(), request: z.unknown() });

/** Runs a recipe in `directory` and writes the report there. @throws Interrupted where `signal` was aborted. */
export async function runRecipe(recipe: Recipe, request: RunRequest): Promise<Report> {
  const session = await beginSession({ recipe }, request);
  const execution = await openExecution(recipe, session, request);
  return session.finish(await executeRecipe(execution));
}

/**
 * Pares the model of `recipe` (whose stages are empty) as far as its `maxDrop` allows and writes the report. Once the stages are
 * chosen, nothing is left to validate: they train on the images that the search held out, too.
 * @throws Interrupted where `signal` was aborted.
 */
export async function optimizeModel(recipe: Recipe, options: SearchOptions, request: RunRequest): Promise<Report> {
  if (typeof recipe.model !== "string" || recipe.maxDrop === undefined)
    throw new Error("internal: a model file and an accuracy budget are needed");
  const session = await beginSession({ recipe, options: searchSchema.parse(options) }, request);
  const execution = await openExecution(recipe, session, request);
  const read = await readModel(recipe.model);
  const preprocessing = recipe.preprocessing ?? readPreprocessing(read) ?? execution.data.dataset.preprocessing;
  const { stages, trials } = await searchStages(
    execution,
    withPreprocessing(read, preprocessing),
    recipe.maxDrop,
    options,
  );
  const chosen = checkRecipe({ ...recipe, stages, validation: 0 }, "the recipe that the search found");
  const { dataset } = execution.data;
  const data = { dataset, train: dataset.train, validation: undefined };
  return session.finish(await executeRecipe({ ...execution, recipe: chosen, data, trials }));
}

interface RunSession {
  readonly folder: RunFolder;
  readonly created: string;
  readonly secondsSpent: () => number;
  finish(report: Report): Promise<Report>;
}

async function beginSession(asked: unknown, { directory, resume }: RunRequest): Promise<RunSession> {
  const folder = openRunFolder(directory, { resume });
  const request: unknown = JSON.parse(JSON.stringify(asked));
  const begun = performance.now();
  if (!folder.has("run.json"))
    await folder.write("run.json", JSON.stringify({ created: new Date().toISOString(), request }, null, 1));
  const run = runSchema.parse(folder.readJson("run.json"));
  if (!isDeepStrictEqual(run.request, request))
    throw new NetpareError(
      "bad-option",
      `'${directory}' holds a run with other settings; resume it with the same ones, or choose another --out`,
    );
  const before = folder.has("seconds.json") ? z.number().parse(folder.readJson("seconds.json")) : 0;
  const secondsSpent = () => before + (performance.now() - begun) / 1000;
  let saving = Promise.resolve();
  const timer = setInterval(() => {
    saving = folder.write("seconds.json", String(secondsSpent())).catch(() => {});
  }, 10_000);
  timer.unref();
  return {
    folder,
    created: run.created,
    secondsSpent,
    async finish(report) {
      clearInterval(timer);
      await saving;
      folder.remove("seconds.json");
      await writeReport(directory, report);
      return report;
    },
  };
}

async function openExecution(
  recipe: Recipe,
  { folder, created, secondsSpent }: RunSession,
  request: RunRequest,
): Promise<Execution> {
  const { reporter, signal } = request;
  const logged: Reporter = {
    ...reporter,
    note(text) {
      folder.log(text);
      reporter.note(text);
    },
  };
  const model = typeof recipe.model === "string" ? await readModel(recipe.model) : undefined;
  const data = await openRunData(recipe, model, logged);
  return { recipe, folder, data, reporter: logged, signal, created, secondsSpent };
}
