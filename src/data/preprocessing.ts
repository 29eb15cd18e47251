/**
 * From stored bytes to what a network reads: `x' = (x·scale - mean) / std`, a channel at a time.
 * It is written into a model's metadata, so that later commands need no flags.
 */
import { z } from "zod";
import type { Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Dataset } from "./dataset.ts";
import { computeLumaMoments, computeMoments } from "./split.ts";

const perChannel = z.array(z.number()).min(1);

/** `mean` and `std` have one entry, or one a channel in the order of `channels`. */
export const preprocessingSchema = z.object({
  scale: z.number(),
  mean: perChannel,
  std: perChannel.refine((std) => std.every((s) => s !== 0), "std must not be 0"),
  /** Channel order that the network expects. */
  channels: z.enum(["rgb", "bgr", "grey"]),
});

export type Preprocessing = z.infer<typeof preprocessingSchema>;

/**
 * `preprocessing` with the mean and standard deviation of the training images as the network reads them, so that its input
 * has mean 0 and variance 1.
 */
export function normalizeBy({ train, channels }: Dataset, preprocessing: Preprocessing): Preprocessing {
  const grey = preprocessing.channels === "grey";
  const { mean, std } = grey && channels === 3 ? computeLumaMoments(train) : computeMoments(train, channels);
  const scaled = (values: readonly number[]) => values.map((x) => x * 255 * preprocessing.scale);
  const ordered = (values: number[]) => (preprocessing.channels === "bgr" ? values.reverse() : values);
  return { ...preprocessing, mean: ordered(scaled(mean)), std: ordered(scaled(std)) };
}

const preprocessingKey = "netpare.preprocessing";
const classesKey = "netpare.classes";

/**
 * The preprocessing in a model's metadata, undefined where there is none.
 * @throws NetpareError `bad-model` where it is there and damaged.
 */
export function readPreprocessing(graph: Pick<Graph, "metadata">): Preprocessing | undefined {
  return readMetadata(graph, preprocessingKey, preprocessingSchema);
}

/** The graph with `preprocessing` in its metadata. */
export function withPreprocessing(graph: Graph, preprocessing: Preprocessing): Graph {
  return withMetadata(graph, preprocessingKey, preprocessing);
}

/**
 * The names of the classes in a model's metadata, in the order of its outputs; undefined where there are none.
 * @throws NetpareError `bad-model` where they are there and damaged.
 */
export function readClasses(graph: Pick<Graph, "metadata">): readonly string[] | undefined {
  return readMetadata(graph, classesKey, z.array(z.string()).min(1));
}

/** The graph with the names of its classes in its metadata. */
export function withClasses(graph: Graph, classes: readonly string[]): Graph {
  return withMetadata(graph, classesKey, classes);
}

function readMetadata<S extends z.ZodType>(
  graph: Pick<Graph, "metadata">,
  key: string,
  schema: S,
): z.output<S> | undefined {
  const text = graph.metadata.get(key);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".");
  throw new NetpareError(
    "bad-model",
    `the model's metadata ${key} is damaged (${where ? `${where}: ` : ""}${issue?.message})`,
  );
}

function withMetadata(graph: Graph, key: string, value: unknown): Graph {
  return { ...graph, metadata: new Map([...graph.metadata, [key, JSON.stringify(value)]]) };
}
