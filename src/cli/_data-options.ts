/** The options by which commands take a data set and preprocessing, and what they resolve to. */
import { z } from "zod";
import {
  DATASET_GRAMMAR,
  type Dataset,
  normalizeBy,
  openDataset,
  type Preprocessing,
  readPreprocessing,
} from "../data/index.ts";
import { preprocessingSchema } from "../data/preprocessing.ts";
import type { ImageFormat } from "../engine/evaluate.ts";
import type { ImageInput } from "../engine/image-input.ts";
import type { Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Host } from "./_host.ts";

const numbers = z.array(z.number()).min(1);

/** `--data`, as a required option. */
export const dataOption = z.string().meta({ metavar: "DATA", description: DATASET_GRAMMAR });

/** Preprocessing flags: `x' = (x·scale - mean) / std` of bytes x. What is left out comes from the model, else from the data. */
export const preprocessingOptions = {
  mean: numbers.optional().describe("subtracted after scaling, one number or one a channel"),
  std: numbers.optional().describe("divided by, one number or one a channel"),
  scale: z.number().optional().describe("factor of the bytes 0..255, such as 1/255 or 1"),
  channels: z.enum(["rgb", "bgr", "grey"]).optional().describe("channel order that the model expects"),
};

/** `--normalize`, where a network is trained from its start. */
export const normalizeOption = z
  .enum(["usual", "data"])
  .default("usual")
  .describe("mean and std: those usual for the data, or computed from its training images");

/** What the preprocessing flags gave. */
export interface GivenPreprocessing {
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly scale?: number | undefined;
  readonly channels?: Preprocessing["channels"] | undefined;
  readonly normalize?: z.output<typeof normalizeOption> | undefined;
}

/**
 * The preprocessing: each field from the flags, else from the model's metadata, else what suits the data; mean and std
 * are computed from the data where the flags want that.
 * @throws NetpareError `bad-option` where the flags do not make one.
 */
export function resolvePreprocessing(
  given: GivenPreprocessing,
  graph: Graph | undefined,
  dataset: Dataset,
): Preprocessing {
  const base = (graph && readPreprocessing(graph)) ?? dataset.preprocessing;
  const flags = Object.fromEntries(
    Object.entries(given).filter(([key, value]) => key in preprocessingOptions && value !== undefined),
  );
  const measured = (p: Preprocessing) => (given.normalize === "data" ? { ...normalizeBy(dataset, p), ...flags } : p);
  const parsed = preprocessingSchema.safeParse({ ...base, ...flags });
  if (parsed.success) return measured(parsed.data);
  const issue = parsed.error.issues[0];
  throw new NetpareError(
    "bad-option",
    `--${issue?.path[0]?.toString() ?? "mean"}: ${issue?.message ?? "does not fit"}`,
  );
}

/** A line for people where nothing but the data says how the model reads images, so that the figures may be about a misread model. */
export function assumedPreprocessing(
  given: GivenPreprocessing,
  graph: Graph,
  { scale, mean, std, channels }: Preprocessing,
): string | undefined {
  const flags = Object.keys(preprocessingOptions).some((key) => given[key as keyof GivenPreprocessing] !== undefined);
  if (flags || readPreprocessing(graph) !== undefined) return undefined;
  const factor = scale === 1 / 255 ? "1/255" : String(scale);
  return `the data's usual --scale ${factor} --mean ${mean} --std ${std} --channels ${channels}; the model does not say`;
}

/** Which data set is drawn, not read. */
const drawn = (spec: string) => /^(faces|leaves)(:|$)/.exec(spec)?.[1];

/** Opens a data set, or only one split of it; folders of images at the size and channels that a model's input wants. */
export async function openData(
  spec: string,
  input: ImageInput | undefined,
  host: Host,
  only?: "train" | "test",
): Promise<Dataset> {
  const progress = host.progress(drawn(spec) ? `drawing ${drawn(spec)}` : "reading data");
  const channels = input?.channels === 1 || input?.channels === 3 ? input.channels : undefined;
  const { height, width } = input ?? {};
  try {
    return await openDataset(spec, {
      height,
      width,
      channels,
      only,
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
  }
}

/** What the engine asks about a data set's images. */
export function imageFormat(dataset: Dataset, preprocessing: Preprocessing): ImageFormat {
  const { classes, channels, height, width } = dataset;
  return { classes: classes.length, storedShape: [channels, height, width], preprocessing };
}

/** The heading of these options in the help. */
export const dataGroup = {
  "Data and preprocessing": ["data", "limit", "normalize", ...Object.keys(preprocessingOptions)],
};
