/**
 * A recipe: what a run does, as plain data that can be kept as YAML and run again.
 * It starts from a model file or trains an architecture, then applies stages one after the other, each a method with its
 * parameters and, where wanted, training with soft targets from the original (Hinton et al. 2014).
 */
import { readFile } from "node:fs/promises";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { preprocessingSchema } from "../data/preprocessing.ts";
import { trainingSchema } from "../engine/training-options.ts";
import { findMethod } from "../methods/index.ts";
import { NetpareError } from "../tensor/error.ts";

/** Training options as a recipe gives them: what is left out takes the default. */
const trainingInput = z.strictObject(trainingSchema.shape).partial();

const distillationSchema = z.strictObject({
  temperature: z.number().positive().default(4),
  /** Weight of the soft targets; the labels have the rest. */
  alpha: z.number().min(0).max(1).default(0.9),
  /** Weight of hints between layers that both networks have. */
  hints: z.number().min(0).default(20),
});

export const stageRecipeSchema = z.strictObject({
  method: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
  /** Training after the method. */
  train: trainingInput.optional(),
  /** Soft targets from the original during that training; false for labels alone. */
  distill: z.union([z.literal(false), distillationSchema]).prefault({}),
});

export const recipeSchema = z.strictObject({
  title: z.string().optional(),
  /** A model file, or an architecture of the zoo to be trained first. */
  model: z.union([
    z.string(),
    z.strictObject({
      architecture: z.string(),
      params: z.record(z.string(), z.unknown()).default({}),
      train: trainingInput.prefault({}),
    }),
  ]),
  data: z.string(),
  preprocessing: preprocessingSchema.optional(),
  seed: z.number().int().default(1),
  /** Share of the training split held out for validation. */
  validation: z.number().min(0).max(0.5).default(0.1),
  /** The most accuracy that may be lost, as a fraction; recorded in the report and held to by `verify`. */
  maxDrop: z.number().min(0).max(1).optional(),
  stages: z.array(stageRecipeSchema),
  measure: z
    .strictObject({
      batches: z.array(z.number().int().positive()).min(1).default([1, 32]),
      threads: z.number().int().positive().default(1),
      runs: z.number().int().min(3).default(60),
    })
    .prefault({}),
});

export type Recipe = z.output<typeof recipeSchema>;
export type StageRecipe = z.output<typeof stageRecipeSchema>;

/**
 * Checks a recipe, its methods and their parameters.
 * @throws NetpareError `bad-recipe` naming the field.
 */
export function checkRecipe(value: unknown, source: string): Recipe {
  const recipe = checkAgainst(recipeSchema, value, source, "");
  const stages = recipe.stages.map((stage, i) => {
    const method = findMethod(stage.method);
    const params = z.strictObject(method.params.shape);
    return { ...stage, params: checkAgainst(params, stage.params, source, `stages.${i}.params.`) };
  });
  return { ...recipe, stages };
}

function checkAgainst<S extends z.ZodType>(schema: S, value: unknown, source: string, prefix: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new NetpareError("bad-recipe", `${source}: ${prefix}${issue.path.join(".") || "recipe"}: ${issue.message}`);
}

/** Reads a YAML recipe. @throws NetpareError `bad-recipe` where it cannot be read or does not fit the schema. */
export async function readRecipe(file: string): Promise<Recipe> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new NetpareError("bad-recipe", `the recipe '${file}' cannot be read: ${(error as Error).message}`);
  }
  try {
    return checkRecipe(parse(text), file);
  } catch (error) {
    if (error instanceof NetpareError) throw error;
    throw new NetpareError("bad-recipe", `${file} is not YAML: ${(error as Error).message.split("\n")[0]}`);
  }
}

/** The recipe as YAML. */
export function formatRecipe(recipe: Recipe): string {
  return stringify(recipe, { lineWidth: 120 });
}
