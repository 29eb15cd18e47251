/** The data of a run: the training split without what is held out for validation, that part, and the test split. */
import {
  carveValidation,
  type Dataset,
  openDataset,
  readPreprocessing,
  requireClasses,
  type Split,
} from "../data/index.ts";
import type { ImageFormat } from "../engine/evaluate.ts";
import { findImageInput, type ImageInput } from "../engine/image-input.ts";
import type { Graph } from "../graph/graph.ts";
import { createRandom } from "../tensor/random.ts";
import type { Reporter } from "./progress.ts";
import type { Recipe } from "./recipe.ts";

export interface RunData {
  readonly dataset: Dataset;
  readonly train: Split;
  readonly validation: Split | undefined;
}

/** Opens a recipe's data at the size of the images that `model` reads, where there is one, and carves the validation split. */
export async function openRunData(
  recipe: Pick<Recipe, "data" | "seed" | "validation">,
  model: Graph | undefined,
  reporter: Reporter,
): Promise<RunData> {
  const dataset = requireClasses(await openImages(recipe.data, model, reporter));
  if (recipe.validation === 0) return { dataset, train: dataset.train, validation: undefined };
  const { train, validation } = carveValidation(dataset.train, recipe.validation, createRandom(recipe.seed).fork(97));
  return { dataset, train, validation };
}

/** Opens a data set; folders of images are resized to what `model` reads. */
export function openImages(
  spec: string,
  model: Graph | undefined,
  reporter: Reporter,
  only?: "test",
): Promise<Dataset> {
  const { channels, height, width }: Partial<ImageInput> = model === undefined ? {} : findImageInput(model);
  return openDataset(spec, {
    height,
    width,
    channels: channels === 1 || channels === 3 ? channels : undefined,
    only,
    onProgress: (done, total) => reporter.progress(done, total, "reading data"),
  });
}

/** What the engine asks about the images that `graph` reads: its own preprocessing, or what suits the data. */
export function imageFormatOf(graph: Graph, { classes, channels, height, width, preprocessing }: Dataset): ImageFormat {
  return {
    classes: classes.length,
    storedShape: [channels, height, width],
    preprocessing: readPreprocessing(graph) ?? preprocessing,
  };
}
