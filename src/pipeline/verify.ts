/**
 * Measures the exported files of a finished run again and compares with what its report claims.
 * Counts, bytes, digests and estimates must be equal. Accuracy may differ by what another machine's rounding can turn; latency
 * ratios, memory and energy that was read may by what a shared machine disturbs. The report's own digest tells of any other figure
 * that was changed after the run.
 */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readModel } from "../onnx/index.ts";
import { markEnergy } from "../report/energy-note.ts";
import { energySourceOf } from "../report/metrics.ts";
import { readReport, reportIsUntouched } from "../report/read.ts";
import type { Report, Stage } from "../report/schema.ts";
import { NetpareError } from "../tensor/error.ts";
import { latencyOf, type MeasuredStage, measureLatencies, measureStages } from "./measure-run.ts";
import type { Reporter } from "./progress.ts";
import { checkRecipe } from "./recipe.ts";
import { openImages } from "./run-data.ts";
import { openRunFolder } from "./run-folder.ts";

/** One claim of a report beside what was measured now. */
export interface Check {
  readonly stage: string;
  readonly claim: string;
  readonly claimed: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface Verification {
  readonly checks: readonly Check[];
  readonly holds: boolean;
}

/** Relative parts by which a measured figure may be worse than the claimed one. */
const tolerances = { accuracy: 0.0005, loss: 1e-3, latencyRatio: 0.25, memory: 0.25, energy: 1 };

/** Times that latencies are taken before a speed-up counts as false: a neighbour's burst of work is no lie of the report. */
const latencyAttempts = 3;
const speedUp = "speed-up";

/** Verifies the run in `directory`. @throws NetpareError where there is no whole report or a file is missing. */
export async function verifyRun(directory: string, reporter: Reporter, signal?: AbortSignal): Promise<Verification> {
  const report = await readReport(directory);
  const recipe = checkRecipe(report.recipe, `${directory}/report.json: recipe`);
  const folder = openRunFolder(directory, { resume: true });
  const stages = report.stages.map((stage) => stageFolder(stage, directory));
  const original = await readModel(join(directory, stages[0]!, "model.onnx"));
  const dataset = await openImages(recipe.data, original, reporter, "test");
  const data = { dataset, train: dataset.train, validation: undefined };
  const estimated = energySourceOf(report) === "estimate";
  let measured = await measureStages(
    { recipe, folder, data, reporter, signal },
    stages,
    estimated ? { meter: null } : {},
  );
  const own: Check = {
    stage: "report",
    claim: "digest",
    claimed: "as written by the run",
    measured: reportIsUntouched(report) ? "as written by the run" : "changed since",
    holds: reportIsUntouched(report),
  };
  const measurement = { recipe, folder, data, reporter, signal };
  let checks: Check[] = [];
  for (let attempt = 0; attempt < latencyAttempts; attempt++) {
    if (attempt > 0) {
      const again = await measureLatencies(measurement, stages);
      measured = measured.map((stage, i) => ({ ...stage, latencyMs: latencyOf(again, stages[i]!) }));
    }
    checks = [
      own,
      ...report.stages.flatMap((stage, i) => checkStage(report, stage, measured[0]!, measured[i]!)),
      ...budgetCheck(report, measured),
    ];
    if (checks.every(({ claim, holds }) => holds || !claim.startsWith(speedUp))) break;
  }
  return { checks, holds: checks.every((check) => check.holds) };
}

function stageFolder({ file }: Stage, directory: string): string {
  const found = /^(stages\/[\w-][\w.-]*)\/model\.onnx$/.exec(file)?.[1];
  if (found === undefined)
    throw new NetpareError(
      "bad-data",
      `${directory}/report.json: the model file '${file}' is none of a run's; expected stages/NAME/model.onnx`,
    );
  return found;
}

function checkStage(report: Report, claimed: Stage, original: MeasuredStage, measured: MeasuredStage): Check[] {
  const equal = (claim: string, a: string | number, b: string | number): Check =>
    check(claim, String(a), String(b), a === b);
  const near = (claim: string, a: number, b: number, tolerance: number): Check =>
    check(claim, a.toFixed(4), b.toFixed(4), Math.abs(a - b) <= tolerance);
  const check = (claim: string, a: string, b: string, holds: boolean): Check => ({
    stage: claimed.name,
    claim,
    claimed: a,
    measured: b,
    holds,
  });
  const { accuracy } = claimed;
  return [
    equal("sha256", claimed.sha256, measured.sha256),
    equal("file bytes", claimed.fileBytes, measured.fileBytes),
    equal("parameters", claimed.parameters, measured.parameters),
    equal("MACs", claimed.macs, measured.macs),
    check(
      "layers",
      `${claimed.layers.length} rows`,
      `${measured.layers.length} rows`,
      isDeepStrictEqual(claimed.layers, measured.layers),
    ),
    equal("samples", accuracy.samples, measured.accuracy.samples),
    near("top-1", accuracy.top1, measured.accuracy.top1, tolerances.accuracy),
    near("top-1 as counted", accuracy.correct / accuracy.samples, accuracy.top1, 1e-9),
    near(
      "interval",
      accuracy.interval[0] + accuracy.interval[1],
      measured.accuracy.interval[0] + measured.accuracy.interval[1],
      2 * tolerances.accuracy,
    ),
    near("top-5", accuracy.top5, measured.accuracy.top5, tolerances.accuracy),
    near("loss", accuracy.loss, measured.accuracy.loss, tolerances.loss * Math.max(1, accuracy.loss)),
    near("agreement", claimed.agreement, measured.agreement, tolerances.accuracy),
    check(
      "peak memory",
      String(claimed.peakMemoryBytes),
      String(measured.peakMemoryBytes),
      measured.peakMemoryBytes <= claimed.peakMemoryBytes * (1 + tolerances.memory),
    ),
    ...energyCheck(claimed, measured),
    ...codedChecks(claimed, measured),
    ...(claimed.ensemble?.members ?? []).map(({ file, accuracy: member }, i) =>
      near(
        `top-1 of ${file}`,
        member.top1,
        measured.ensemble?.members[i]?.accuracy.top1 ?? Number.NaN,
        tolerances.accuracy,
      ),
    ),
    ...claimed.latencyMs.map(({ batch, threads, median }) => {
      const of = (stage: Pick<Stage, "latencyMs">) =>
        stage.latencyMs.find((l) => l.batch === batch && l.threads === threads)?.median ?? Number.NaN;
      const claimedRatio = of(report.stages[0]!) / median;
      const measuredRatio = of(original) / of(measured);
      return check(
        `${speedUp} at batch ${batch}`,
        claimedRatio.toFixed(2),
        measuredRatio.toFixed(2),
        measuredRatio >= claimedRatio * (1 - tolerances.latencyRatio),
      );
    }),
  ];
}

/** An estimate is counted again and must be equal; counters can tell more only on a machine that has some. */
function energyCheck({ name: stage, energy: claimed }: Stage, { energy: measured }: MeasuredStage): Check[] {
  if (claimed == null) return [];
  const joules = (energy: NonNullable<Stage["energy"]>) => `${energy.joulesPerImage.toPrecision(6)} J`;
  const check = { stage, claim: markEnergy("energy per image", claimed.source), claimed: joules(claimed) };
  if (measured == null) return [{ ...check, measured: "cannot be counted", holds: false }];
  if (claimed.source === "powercap" && measured.source === "estimate")
    return [{ ...check, measured: "no counters here", holds: true }];
  const most = claimed.joulesPerImage * (1 + tolerances.energy);
  const holds =
    claimed.source === "estimate"
      ? measured.source === "estimate" && measured.joulesPerImage === claimed.joulesPerImage
      : measured.joulesPerImage <= most;
  return [{ ...check, measured: joules(measured), holds }];
}

/** A `.pare` file's own digest and content must be equal, its accuracy as that of a model. */
function codedChecks({ name: stage, coded: claimed }: Stage, { coded: measured }: MeasuredStage): Check[] {
  if (claimed == null) return [];
  const check = { stage, claim: `content of ${claimed.file}`, claimed: `${claimed.fileBytes} bytes` };
  if (measured == null) return [{ ...check, measured: "cannot be read", holds: false }];
  const { accuracy, agreement, ...content } = claimed;
  const { accuracy: accuracyNow, agreement: agreementNow, ...contentNow } = measured;
  const near = (claim: string, a: number, b: number): Check => ({
    stage,
    claim: `${claim} of ${claimed.file}`,
    claimed: a.toFixed(4),
    measured: b.toFixed(4),
    holds: Math.abs(a - b) <= tolerances.accuracy,
  });
  return [
    { ...check, measured: `${measured.fileBytes} bytes`, holds: isDeepStrictEqual(content, contentNow) },
    near("top-1", accuracy.top1, accuracyNow.top1),
    near("agreement", agreement, agreementNow),
  ];
}

function budgetCheck({ maxDrop, stages }: Report, measured: readonly MeasuredStage[]): Check[] {
  if (maxDrop === null) return [];
  const drop = measured[0]!.accuracy.top1 - measured[measured.length - 1]!.accuracy.top1;
  return [
    {
      stage: stages[stages.length - 1]!.name,
      claim: "accuracy budget",
      claimed: `at most ${(100 * maxDrop).toFixed(2)} points lost`,
      measured: `${(100 * drop).toFixed(2)} points lost`,
      holds: drop <= maxDrop + 1e-9,
    },
  ];
}
