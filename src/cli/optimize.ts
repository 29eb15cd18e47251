/** `netpare optimize`: pares a model as far as an accuracy budget allows. */
import { z } from "zod";
import { checkRecipe } from "../pipeline/recipe.ts";
import { optimizeModel } from "../pipeline/run.ts";
import { searchSchema } from "../pipeline/search.ts";
import { dataOption, preprocessingOptions } from "./_data-options.ts";
import { loadModel } from "./_model-file.ts";
import { givenPreprocessing, performRun, runOptions } from "./_run.ts";
import { defineCommand } from "./define-command.ts";

export const optimizeCommand = defineCommand({
  name: "optimize",
  summary: "pare a model as far as an accuracy budget allows",
  arguments: [["<model>", "an .onnx file"]],
  options: z.object({
    data: dataOption,
    ...runOptions,
    maxDrop: z.number().min(0).max(1).default(0.01).describe("the most accuracy that may be lost, as a fraction"),
    ...searchSchema.shape,
    seed: z.int().default(1).describe("seed of everything random"),
    ...preprocessingOptions,
  }),
  optionGroups: { Search: Object.keys(searchSchema.shape), Preprocessing: Object.keys(preprocessingOptions) },
  examples: [
    "optimize resnet32.onnx --data cifar10:DIR --out runs/resnet32 --max-drop 0.01 --objective latency",
    "optimize resnet32.onnx --data cifar10:DIR --out runs/resnet32 --resume",
  ],
  async run({ args, options, host }) {
    const model = args[0] ?? "";
    await loadModel(model);
    const { data, maxDrop, seed } = options;
    const preprocessing = await givenPreprocessing(options, model, data, host);
    const recipe = checkRecipe(
      { model, data, maxDrop, seed, stages: [], ...(preprocessing && { preprocessing }) },
      "the options",
    );
    const search = searchSchema.parse(
      Object.fromEntries(Object.keys(searchSchema.shape).map((key) => [key, options[key as keyof typeof options]])),
    );
    return performRun(options, host, (request) => optimizeModel(recipe, search, request));
  },
});
