/** `netpare run`: executes a recipe into a folder. */
import { z } from "zod";
import { readRecipe } from "../pipeline/recipe.ts";
import { runRecipe } from "../pipeline/run.ts";
import { performRun, runOptions } from "./_run.ts";
import { defineCommand } from "./define-command.ts";

export const runCommand = defineCommand({
  name: "run",
  summary: "execute a recipe: train, pare, export, measure",
  arguments: [["<recipe>", "a YAML file; every run folder holds one"]],
  options: z.object(runOptions),
  examples: ["run examples/faces.yaml --out runs/faces", "run examples/faces.yaml --out runs/faces --resume"],
  async run({ args, options, host }) {
    const recipe = await readRecipe(args[0] ?? "");
    return performRun(options, host, (request) => runRecipe(recipe, request));
  },
});
