/** `netpare evaluate`: accuracy and loss of a model file, and its agreement with another, measured on the files themselves. */
import { z } from "zod";
import { type Dataset, type Preprocessing, readPreprocessing } from "../data/index.ts";
import { agreementOf, type Evaluation, evaluateModel, wilsonInterval } from "../engine/evaluate.ts";
import { findImageInput } from "../engine/image-input.ts";
import { formatPercent } from "../report/format.ts";
import { NetpareError } from "../tensor/error.ts";
import {
  assumedPreprocessing,
  dataGroup,
  dataOption,
  imageFormat,
  openData,
  preprocessingOptions,
  resolvePreprocessing,
} from "./_data-options.ts";
import type { Host } from "./_host.ts";
import { loadModel, type ModelFile } from "./_model-file.ts";
import { formatFacts } from "./_table.ts";
import { defineCommand } from "./define-command.ts";

const options = z.object({
  data: dataOption,
  reference: z.string().optional().meta({ metavar: "MODEL", description: "model with whose answers to compare" }),
  split: z.enum(["train", "test"]).default("test").describe("part of the data"),
  limit: z.int().positive().optional().describe("only the first so many images"),
  threads: z.int().positive().max(256).default(2).describe("threads of the engine"),
  ...preprocessingOptions,
});

export const evaluateCommand = defineCommand({
  name: "evaluate",
  summary: "measure accuracy and loss of a model, and its agreement with another",
  arguments: [["<model>", "an .onnx file"]],
  options,
  optionGroups: dataGroup,
  examples: [
    "evaluate resnet32.onnx --data cifar10:DIR --mean .485,.456,.406 --std .229,.224,.225",
    "evaluate pared.onnx --data cifar10:DIR --reference resnet32.onnx --json",
    "evaluate small.pare --reference squeezenet.onnx --data leaves --scale 1 --mean 104,117,123 --std 1 --channels bgr",
    "evaluate quantized.onnx --data faces --limit 500",
  ],
  async run({ args, options: given, host }) {
    const model = await loadModel(args[0] ?? "");
    const reference = given.reference === undefined ? undefined : await loadModel(given.reference);
    const dataset = await openData(given.data, findImageInput(model.graph), host, given.split);
    const preprocessing = resolvePreprocessing(given, model.graph, dataset);
    const unlabelled = dataset.classes.length === 0;
    if (unlabelled && reference === undefined)
      throw new NetpareError(
        "bad-option",
        `the images of ${dataset.name} have no classes: give --reference and a model with whose answers to compare`,
      );
    const evaluation = await evaluateFile(model, dataset, preprocessing, given, host);
    const { samples, top1, top5, loss } = evaluation;
    const agreement = reference && (await agreementWith(reference, evaluation, dataset, preprocessing, given, host));
    const assumed = assumedPreprocessing(given, model.graph, preprocessing);
    const where = `${model.name} on ${samples} ${given.split} images of ${dataset.name}`;
    const scored = unlabelled ? { samples } : { samples, top1, top5, loss };
    return {
      json: { ...scored, ...(agreement === undefined ? {} : { agreement }) },
      text: `${where}\n${describe(evaluation, unlabelled, reference?.name, agreement, assumed)}`,
    };
  },
});

interface Given {
  readonly split: "train" | "test";
  readonly limit?: number | undefined;
  readonly threads: number;
}

/** Flags speak of the model; a reference reads images alike, unless its own metadata says otherwise. */
async function agreementWith(
  reference: ModelFile,
  { predictions }: Evaluation,
  dataset: Dataset,
  preprocessing: Preprocessing,
  given: Given,
  host: Host,
): Promise<number> {
  const own = readPreprocessing(reference.graph) ?? preprocessing;
  return agreementOf(predictions, (await evaluateFile(reference, dataset, own, given, host)).predictions);
}

async function evaluateFile(
  model: ModelFile,
  dataset: Dataset,
  preprocessing: Preprocessing,
  given: Given,
  host: Host,
): Promise<Evaluation> {
  const progress = host.progress(`evaluating ${model.name}`);
  try {
    return await evaluateModel(model.graph, dataset[given.split], {
      ...imageFormat(dataset, preprocessing),
      file: model.file,
      threads: given.threads,
      limit: given.limit,
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
  }
}

function describe(
  { samples, correct, top1, top5, loss }: Evaluation,
  unlabelled: boolean,
  reference: string | undefined,
  agreement: number | undefined,
  assumed: string | undefined,
): string {
  const percent = (fraction: number) => formatPercent(fraction, 2);
  const range = (count: number) => {
    const [low, high] = wilsonInterval(count, samples);
    return `(${percent(low)} to ${percent(high)} at 95 %)`;
  };
  const facts: [string, string][] = unlabelled
    ? []
    : [
        ["top-1", `${percent(top1)}  ${range(correct)}`],
        ["top-5", percent(top5)],
        ["loss", loss.toFixed(4)],
      ];
  if (agreement !== undefined)
    facts.push([
      "agreement",
      `${percent(agreement)} with ${reference}${unlabelled ? `  ${range(Math.round(agreement * samples))}` : ""}`,
    ]);
  if (assumed !== undefined) facts.push(["reading", assumed]);
  return formatFacts(facts);
}
