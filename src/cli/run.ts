/** `netpare run`: executes a recipe into a folder. */
import { z } from "zod";
import { DATASET_GRAMMAR } from "../data/index.ts";
import { readRecipe } from "../pipeline/recipe.ts";
import { runRecipe } from "../pipeline/run.ts";
import { performRun, runOptions } from "./_run.ts";
import { defineCommand } from "./define-command.ts";

export const runCommand = defineCommand({
  name: "run",
  summary: "execute a recipe: train, pare, export, measure",
  arguments: [["<recipe>", "a YAML file; every run folder holds one"]],
  options: z.object({
    data: z
      .string()
      .optional()
      .meta({ metavar: "DATA", description: `instead of the recipe's data: ${DATASET_GRAMMAR}` }),
    model: z.string().optional().meta({ metavar: "FILE", description: "instead of the recipe's model: an .onnx file" }),
    ...runOptions,
  }),
  examples: [
    "run examples/faces.yaml --out runs/faces",
    "run examples/faces.yaml --out runs/faces --resume",
    "run recipes/mnist/lenet-5.yaml --data mnist:DIR --out runs/lenet-5",
    "run recipes/cifar10/resnet-32.yaml --data cifar10:DIR --model resnet32.onnx --out runs/resnet-32",
  ],
  async run({ args, options, host }) {
    const recipe = await readRecipe(args[0] ?? "");
    const { data = recipe.data, model = recipe.model, ...run } = options;
    return performRun(run, host, (request) => runRecipe({ ...recipe, data, model }, request));
  },
});
