/** `netpare train`: trains an architecture of the zoo, or goes on training a model file. */
import { existsSync } from "node:fs";
import { z } from "zod";
import { type Dataset, type Preprocessing, requireClasses, withClasses, withPreprocessing } from "../data/index.ts";
import { findImageInput } from "../engine/image-input.ts";
import { trainingSchema } from "../engine/training-options.ts";
import type { Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { createRandom } from "../tensor/random.ts";
import { architectures, findArchitecture } from "../zoo/index.ts";
import { architectureOptions, givenSettings } from "./_architecture-options.ts";
import {
  dataGroup,
  dataOption,
  normalizeOption,
  openData,
  preprocessingOptions,
  resolvePreprocessing,
} from "./_data-options.ts";
import { checkOutFile, loadModel, outDescription } from "./_model-file.ts";
import {
  readTrainingOptions,
  trainingExtras,
  trainingGroup,
  trainingJson,
  trainingText,
  trainToFile,
} from "./_training.ts";
import { defineCommand } from "./define-command.ts";

const ownOptions = z.object({
  data: dataOption,
  out: z.string().meta(outDescription),
  ...trainingExtras,
  normalize: normalizeOption,
  ...preprocessingOptions,
});
const architectureSchema = z.object(architectureOptions);

export const trainCommand = defineCommand({
  name: "train",
  summary: "train an architecture of the zoo, or go on training a model",
  arguments: [["<model>", "an architecture (see netpare zoo) or an .onnx file"]],
  options: z.object({ ...ownOptions.shape, ...trainingSchema.shape, ...architectureSchema.shape }),
  optionGroups: { ...dataGroup, ...trainingGroup, Architecture: Object.keys(architectureOptions) },
  examples: [
    "train faces-net --data faces --epochs 5 --out faces.onnx",
    "train resnet-20 --data cifar10:DIR --epochs 30 --flip --crop 4 --out resnet-20.onnx",
    "train pruned.onnx --data cifar10:DIR --epochs 3 --lr 0.01 --out tuned.onnx",
  ],
  async run({ args, options: given, host }) {
    const own = ownOptions.parse(given);
    const options = readTrainingOptions(given);
    const name = args[0] ?? "";
    await checkOutFile(own.out);
    const file = await sourceModel(name);
    const dataset = requireClasses(await openData(own.data, file && findImageInput(file), host));
    const preprocessing = resolvePreprocessing(own, file, dataset);
    const settings = givenSettings(architectureSchema.parse(given));
    const fresh = file ?? buildFor(name, settings, dataset, preprocessing, options.seed);
    const graph = withClasses(withPreprocessing(fresh, preprocessing), dataset.classes);
    const { out, validation, resume } = own;
    const result = await trainToFile({ graph, dataset, preprocessing, options, out, validation, resume }, host);
    return { json: { file: own.out, model: name, ...trainingJson(result) }, text: trainingText(result, own.out) };
  },
});

async function sourceModel(name: string): Promise<Graph | undefined> {
  if (architectures.some((architecture) => architecture.name === name)) return undefined;
  if (existsSync(name)) return (await loadModel(name)).graph;
  const names = architectures.map((architecture) => architecture.name).join(", ");
  throw new NetpareError("bad-option", `'${name}' is neither a file nor an architecture; the zoo has ${names}`);
}

/** The architecture at the size of the data. */
function buildFor(
  name: string,
  settings: Readonly<Record<string, unknown>>,
  { classes, height, width, name: dataName }: Dataset,
  preprocessing: Preprocessing,
  seed: number,
): Graph {
  if (height !== width)
    throw new NetpareError(
      "bad-data",
      `architectures of the zoo read square images, those of ${dataName} are ${height}x${width}`,
    );
  const channels = preprocessing.channels === "grey" ? 1 : 3;
  const sized = { classes: classes.length, channels, size: height, ...settings };
  return findArchitecture(name).build(sized, createRandom(seed));
}
