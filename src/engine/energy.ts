/**
 * Energy of inference: read from the machine's counters where there are any (_energy-meter), else estimated from counted
 * operations and bytes moved (_energy-estimate); a figure always says which.
 * With counters the models take turns in stretches, and a model's joules are those of its own stretches over the images it saw:
 * the whole processor's, idle cores and other programs included.
 */
import { estimateEnergy } from "./_energy-estimate.ts";
import { type EnergyMeter, openEnergyMeter } from "./_energy-meter.ts";
import { createBreath } from "./breath.ts";
import { graphOf, inputShapes, randomFeeds, type TimedModel } from "./measure.ts";
import { openModel } from "./open-model.ts";

export { type EnergyEstimate, estimateEnergy } from "./_energy-estimate.ts";
export { type EnergyMeter, openEnergyMeter } from "./_energy-meter.ts";

/** Where a figure of energy comes from: the machine's counters, or an estimate from counted operations and bytes. */
export type EnergySource = "powercap" | "estimate";

/** Energy of inference. */
export interface InferenceEnergy {
  readonly source: EnergySource;
  readonly joulesPerImage: number;
}

/** Energy of a training, over all its steps. */
export interface TrainingEnergy extends InferenceEnergy {
  readonly joules: number;
  readonly joulesPerStep: number;
}

export interface EnergyOptions {
  /** Images of a run; 1 where left out. */
  readonly batch?: number | undefined;
  /** Threads within an operator; 1 where left out. */
  readonly threads?: number | undefined;
  /** The counters to read; the machine's where left out, none where null. */
  readonly meter?: EnergyMeter | null | undefined;
  /** Milliseconds of a stretch of runs between two readings; 400 where left out. */
  readonly stretchMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const rounds = 3;
const defaultStretchMs = 400;

/**
 * The energy of one image of each of `models`, by counters or by estimate, the same for all; null for a model of which not all
 * operations could be counted.
 * @throws NetpareError as `measureLatency`.
 */
export async function measureEnergy(
  models: readonly TimedModel[],
  options: EnergyOptions = {},
): Promise<readonly (InferenceEnergy | null)[]> {
  const meter = options.meter === undefined ? openEnergyMeter() : options.meter;
  const read = meter && (await readInTurns(models, meter, options));
  return read ?? Promise.all(models.map((model) => estimateOne(model, options.batch ?? 1)));
}

async function estimateOne({ name, model }: TimedModel, batch: number): Promise<InferenceEnergy | null> {
  const graph = await graphOf(model);
  inputShapes(graph, name, batch);
  const estimate = estimateEnergy(graph, { batch });
  return estimate ? { source: "estimate", joulesPerImage: estimate.joules / batch } : null;
}

/** Undefined where the counters fail or stand still, or the work is to be stopped. */
async function readInTurns(
  models: readonly TimedModel[],
  meter: EnergyMeter,
  { batch = 1, threads = 1, stretchMs = defaultStretchMs, signal }: EnergyOptions,
): Promise<readonly InferenceEnergy[] | undefined> {
  const totals = models.map(() => ({ joules: 0, images: 0 }));
  for (let round = 0; round < rounds; round++)
    for (const [i, model] of models.entries()) {
      if (signal?.aborted) return undefined;
      const stretch = await runStretch(model, meter, { batch, threads, stretchMs });
      if (stretch === undefined) return undefined;
      totals[i]!.joules += stretch.joules;
      totals[i]!.images += stretch.images;
    }
  if (totals.some(({ joules }) => joules === 0)) return undefined;
  return totals.map(({ joules, images }) => ({ source: meter.source, joulesPerImage: joules / images }));
}

async function runStretch(
  { name, model }: TimedModel,
  meter: EnergyMeter,
  { batch, threads, stretchMs }: { readonly batch: number; readonly threads: number; readonly stretchMs: number },
): Promise<{ readonly joules: number; readonly images: number } | undefined> {
  const feeds = randomFeeds(await graphOf(model), name, batch, 1);
  const session = await openModel(model, { threads });
  const breath = createBreath();
  try {
    await session.run(feeds);
    const before = meter.read();
    const begun = performance.now();
    let images = 0;
    do {
      await session.run(feeds);
      images += batch;
      await breath();
    } while (performance.now() - begun < stretchMs);
    const after = meter.read();
    return before === undefined || after === undefined ? undefined : { joules: after - before, images };
  } finally {
    await session.release();
  }
}
