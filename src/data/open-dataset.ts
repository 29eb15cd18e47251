/**
 * Data sets by their spelling on the command line: `faces`, `faces:size=64,channels=3,train=12000,test=2000,seed=1`,
 * `leaves`, `leaves:size=224,channels=3,train=64,test=2000,seed=1`, `mnist:DIR`, `fashion-mnist:DIR`, `cifar10:DIR`, `images:DIR`. DIR is all that follows the first colon.
 */
import { z } from "zod";
import { NetpareError } from "../tensor/error.ts";
import { readCifar10 } from "./cifar10.ts";
import { isFolder } from "./data-file.ts";
import type { Dataset } from "./dataset.ts";
import { createFacesInTurns, type FacesOptions } from "./faces/create-faces.ts";
import { FASHION_MNIST_CLASSES, MNIST_CLASSES, readIdxDataset } from "./idx.ts";
import { type ImageFolderOptions, readImageFolder } from "./image-folder.ts";
import { createLeaves, type LeavesOptions } from "./leaves/create-leaves.ts";

/** The grammar of a data set's spelling, for help texts and errors. */
export const DATASET_GRAMMAR =
  "faces[:size=48|64,channels=1|3,train=N,test=N,seed=N], leaves[:size=N,channels=1|3,train=N,test=N,seed=N], mnist:DIR, fashion-mnist:DIR, cifar10:DIR or images:DIR";

/** Besides `only` and `onProgress`, what `images:DIR` alone heeds; IDX files are always read whole. */
export type OpenDatasetOptions = ImageFolderOptions;

const count = z.coerce.number().int().min(1).max(1_000_000);
const facesSpec = z.strictObject({
  size: z.enum(["48", "64"]).default("48"),
  channels: z.enum(["1", "3"]).default("1"),
  train: count.default(12000),
  test: count.default(2000),
  seed: z.coerce.number().int().min(0).max(0xffffffff).default(1),
});

const leavesSpec = z.strictObject({
  size: z.coerce.number().int().min(8).max(2048).optional(),
  channels: z.enum(["1", "3"]).optional(),
  train: count.default(64),
  test: count.default(2000),
  seed: facesSpec.shape.seed,
});

/**
 * Opens the data set that `spec` names.
 * @throws NetpareError bad-option for a spelling outside the grammar, bad-data for missing or damaged files.
 */
export async function openDataset(spec: string, options: OpenDatasetOptions = {}): Promise<Dataset> {
  const colon = spec.indexOf(":");
  const kind = colon < 0 ? spec : spec.slice(0, colon);
  const rest = colon < 0 ? "" : spec.slice(colon + 1);
  switch (kind) {
    case "faces":
      return createFacesInTurns({ ...parseFacesSpec(rest, options.only), onProgress: options.onProgress });
    case "leaves":
      return createLeaves(parseLeavesSpec(rest, options));
    case "mnist":
      return readIdxDataset(await requireFolder(kind, rest), kind, MNIST_CLASSES);
    case "fashion-mnist":
      return readIdxDataset(await requireFolder(kind, rest), kind, FASHION_MNIST_CLASSES);
    case "cifar10":
      return readCifar10(await requireFolder(kind, rest), options.only);
    case "images":
      return readImageFolder(await requireFolder(kind, rest), options);
    default:
      throw new NetpareError("bad-option", `'${spec}' names no data set; expected ${DATASET_GRAMMAR}`);
  }
}

function parseFacesSpec(text: string, only: OpenDatasetOptions["only"]): FacesOptions {
  const { size, channels, train, test, seed } = parseSettings("faces", text, facesSpec);
  return {
    size: size === "64" ? 64 : 48,
    channels: channels === "3" ? 3 : 1,
    trainSamples: only === "test" ? 0 : train,
    testSamples: only === "train" ? 0 : test,
    seed,
  };
}

/** Size and channels are what the model's input wants, where the spelling does not say. */
function parseLeavesSpec(text: string, wanted: OpenDatasetOptions): LeavesOptions {
  const { size, channels, train, test, seed } = parseSettings("leaves", text, leavesSpec);
  return {
    size: size ?? wanted.height ?? 224,
    channels: (channels === undefined ? wanted.channels : Number(channels)) === 1 ? 1 : 3,
    trainSamples: wanted.only === "test" ? 0 : train,
    testSamples: wanted.only === "train" ? 0 : test,
    seed,
    onProgress: wanted.onProgress,
  };
}

/** The settings in `size=64,channels=3,…`; what is left out has its default. */
function parseSettings<S extends z.ZodType>(kind: string, text: string, schema: S): z.output<S> {
  const entries: Record<string, string> = {};
  for (const part of text === "" ? [] : text.split(",")) {
    const [key = "", value = "", ...more] = part.split("=").map((piece) => piece.trim());
    if (value === "" || more.length > 0 || Object.hasOwn(entries, key))
      throw new NetpareError("bad-option", `'${part}' in '${kind}:${text}' must be one KEY=VALUE, each key once`);
    entries[key] = value;
  }
  const parsed = schema.safeParse(entries);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new NetpareError(
    "bad-option",
    `'${kind}:${text}': ${[...issue.path, issue.message].join(": ")}; expected ${DATASET_GRAMMAR}`,
  );
}

async function requireFolder(kind: string, folder: string): Promise<string> {
  if (folder === "") throw new NetpareError("bad-option", `${kind} needs a folder: write ${kind}:DIR`);
  if (!(await isFolder(folder)))
    throw new NetpareError(
      "bad-data",
      `${folder} is missing or no folder; write ${kind}:DIR with the folder of its files`,
    );
  return folder;
}
