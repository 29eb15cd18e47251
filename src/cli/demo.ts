/** `netpare demo`: the whole story on the built-in faces: train, prune and fine-tune, quantize, measure, report. */
import { z } from "zod";
import { checkRecipe } from "../pipeline/recipe.ts";
import { runRecipe } from "../pipeline/run.ts";
import { performRun, runOptions } from "./_run.ts";
import { defineCommand } from "./define-command.ts";

export const demoCommand = defineCommand({
  name: "demo",
  summary: "the whole story on the built-in faces, in a few minutes",
  arguments: [],
  options: z.object({
    out: z.string().default("runs/demo").meta({ metavar: "DIR", description: "folder of the run" }),
    resume: runOptions.resume,
    quick: z
      .boolean()
      .default(false)
      .describe("a tenth of the data and fewer epochs: to see that it works, not how well"),
  }),
  examples: ["demo", "demo --quick --out /tmp/demo"],
  run({ options, host }) {
    const recipe = checkRecipe(options.quick ? quickRecipe : demoRecipe, "the demo's recipe");
    return performRun(options, host, (request) => runRecipe(recipe, request));
  },
});

const demoRecipe = {
  title: "A face reader, pared down",
  model: {
    architecture: "faces-net",
    params: { width: 24 },
    train: { epochs: 4, lr: 0.08, warmup: 0.5, augmentation: { crop: 2 } },
  },
  data: "faces",
  validation: 0.05,
  maxDrop: 0.01,
  stages: [
    { method: "prune-channels", params: { macs: 0.4 }, train: { epochs: 4, lr: 0.03, augmentation: { crop: 2 } } },
    { method: "quantize-int8" },
  ],
  measure: { batches: [1, 32], threads: 1, runs: 400 },
};

const quickRecipe = {
  ...demoRecipe,
  title: "A face reader, pared down (quick look)",
  data: "faces:train=1600,test=400",
  model: { ...demoRecipe.model, train: { ...demoRecipe.model.train, epochs: 3 } },
  maxDrop: undefined,
  stages: [
    { method: "prune-channels", params: { macs: 0.5 }, train: { epochs: 2, lr: 0.04 } },
    { method: "quantize-int8" },
  ],
  measure: { batches: [1], threads: 1, runs: 30 },
};
