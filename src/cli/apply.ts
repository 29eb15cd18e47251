/**
 * `netpare apply METHOD`: applies one method to a model file. Each method is a command whose flags are made from its parameters.
 * Where the method asks for training (distill), or `--epochs` is given, the result is trained before it is written, with soft
 * targets from `--teacher` where there is one.
 */
import { rm, stat } from "node:fs/promises";
import { z } from "zod";
import { analyzeCost } from "../analysis/cost.ts";
import {
  DATASET_GRAMMAR,
  type Dataset,
  type Preprocessing,
  readPreprocessing,
  withClasses,
  withPreprocessing,
} from "../data/index.ts";
import { findImageInput } from "../engine/image-input.ts";
import { createSamples } from "../engine/samples.ts";
import { shareOfTraining, type TrainingOptions, trainingSchema } from "../engine/training-options.ts";
import type { Graph } from "../graph/graph.ts";
import {
  type Application,
  findMethod,
  type Method,
  type MethodContext,
  methods,
  type TrainingRecipe,
} from "../methods/index.ts";
import { writeModel } from "../onnx/index.ts";
import { formatBytes, formatCount, formatRatio } from "../report/format.ts";
import { NetpareError } from "../tensor/error.ts";
import { dataGroup, imageFormat, openData, preprocessingOptions, resolvePreprocessing } from "./_data-options.ts";
import type { Host } from "./_host.ts";
import { checkOutFile, loadModel, outDescription } from "./_model-file.ts";
import { formatTable } from "./_table.ts";
import {
  readTrainingOptions,
  type TrainingResult,
  trainingExtras,
  trainingGroup,
  trainingJson,
  trainingText,
  trainOrStop,
  trainToFile,
} from "./_training.ts";
import { defineCommand, defineCommandGroup } from "./define-command.ts";

const ownOptions = z.object({
  out: z.string().meta(outDescription),
  data: z.string().optional().meta({ metavar: "DATA", description: DATASET_GRAMMAR }),
  teacher: z
    .string()
    .optional()
    .meta({ metavar: "MODEL", description: "model whose answers training follows as well" }),
  limit: z.int().positive().default(1024).describe("training images that the method may look at"),
  ...preprocessingOptions,
  epochs: z.number().positive().optional().describe("train the result for so many epochs before it is written"),
  ...trainingExtras,
});

/** A network that has learned already wants smaller steps than a fresh one. */
const fineTuningRate = trainingSchema.shape.lr.removeDefault().default(0.02).describe("peak learning rate");

type OwnOptions = z.output<typeof ownOptions>;

/** The heading of training options in the help. */
const resultTraining = { "Training of the result": [...trainingGroup.Training, "teacher"] };

export const applyCommand = defineCommandGroup({
  name: "apply",
  summary: "apply a method to a model",
  usage: "METHOD MODEL --out FILE [options]",
  commands: methods.map(applyMethodCommand),
  examples: [
    "apply prune-channels resnet32.onnx --macs 0.5 --out pruned.onnx",
    "apply quantize-int8 resnet32.onnx --data cifar10:DIR --out int8.onnx",
    "apply distill small.onnx --teacher resnet32.onnx --data cifar10:DIR --epochs 5 --out taught.onnx",
  ],
});

function applyMethodCommand(method: Method) {
  return defineCommand({
    name: method.name,
    summary: method.summary,
    arguments: [["<model>", "an .onnx file"]],
    options: z.object({
      ...method.params.shape,
      ...trainingSchema.shape,
      lr: fineTuningRate,
      ...ownOptions.shape,
      ...method.params.shape,
    }),
    optionGroups: { [method.name]: Object.keys(method.params.shape), ...dataGroup, ...resultTraining },
    examples: (method.examples ?? []).map((example) => `apply ${method.name} ${example}`),
    async run({ args, options: given, host }) {
      const own = ownOptions.parse(given);
      const model = await loadModel(args[0] ?? "");
      await checkOutFile(own.out);
      const params = method.params.parse(given);
      checkRequirements(method, params, own);
      const trains = own.epochs !== undefined || method.requires(params).includes("teacher");
      const task = await prepare(model.graph, own, trains, host);
      const training = readTrainingOptions(given);
      const rounds = createRounds(task, own, trains ? training : undefined, host);
      const means = { seed: training.seed, limit: own.limit, ...(rounds.fineTune && { fineTune: rounds.fineTune }) };
      const application = await applyTo(task, method, params, means, host);
      const graph = carryMetadata(application.graph, task);
      const trained = await finish(graph, application.recipe, task, own, trains ? training : undefined, host);
      await rounds.clear();
      const after = { ...costOf(graph), fileBytes: (await stat(own.out)).size };
      const before = { ...costOf(model.graph), fileBytes: model.fileBytes };
      const { changes, skipped } = application;
      const done = { file: own.out, method: method.name, params, before, after, changes, skipped };
      return {
        json: trained === undefined ? done : { ...done, ...trainingJson(trained) },
        text: describe(application, before, after, own.out, trained),
      };
    },
  });
}

/** The model with what the flags and the data say about its images. */
interface ApplyTask {
  readonly graph: Graph;
  readonly teacher: Graph | undefined;
  readonly data: { readonly dataset: Dataset; readonly preprocessing: Preprocessing } | undefined;
}

async function prepare(graph: Graph, own: OwnOptions, trains: boolean, host: Host): Promise<ApplyTask> {
  const teacher = own.teacher === undefined ? undefined : (await loadModel(own.teacher)).graph;
  if (own.data === undefined) return { graph, teacher, data: undefined };
  const dataset = await openData(own.data, findImageInput(graph), host, trains ? undefined : "train");
  const preprocessing = resolvePreprocessing(own, graph, dataset);
  const reading = (model: Graph) => withPreprocessing(model, readPreprocessing(model) ?? preprocessing);
  return {
    graph: withPreprocessing(graph, preprocessing),
    teacher: teacher && reading(teacher),
    data: { dataset, preprocessing },
  };
}

function checkRequirements(method: Method, params: Record<string, unknown>, own: OwnOptions): void {
  const needs = method.requires(params);
  if (own.data === undefined && (needs.includes("data") || own.epochs !== undefined || needs.includes("teacher")))
    throw new NetpareError("bad-option", `${method.name} needs images here: give --data, one of ${DATASET_GRAMMAR}`);
  if (needs.includes("teacher") && own.teacher === undefined)
    throw new NetpareError("bad-option", `${method.name} needs a teacher: give --teacher and an .onnx file`);
  if (own.teacher !== undefined && own.epochs === undefined && !needs.includes("teacher"))
    throw new NetpareError("bad-option", "--teacher is heeded in training only: give --epochs as well");
}

async function applyTo(
  { graph, teacher, data }: ApplyTask,
  method: Method,
  params: Record<string, unknown>,
  { seed, limit, fineTune }: Pick<MethodContext, "seed" | "fineTune"> & { readonly limit: number },
  host: Host,
): Promise<Application> {
  const samples =
    data && createSamples(data.dataset.train, { ...imageFormat(data.dataset, data.preprocessing), seed, limit });
  let shown = { what: "", progress: host.progress(method.name) };
  const context: MethodContext = {
    seed,
    samples,
    models: new Map(teacher === undefined ? [] : [["teacher", teacher]]),
    ...(fineTune && { fineTune }),
    progress: (done, total, what) => {
      if (shown.what !== what) shown = { what, progress: host.progress(`${method.name}: ${what}`) };
      shown.progress.update(done, total);
    },
  };
  try {
    return await method.apply(graph, params, context);
  } finally {
    host.clear();
  }
}

/** Training between a method's rounds. Each keeps its checkpoint until all is done, so that a resumed command skips what it did. */
function createRounds(task: ApplyTask, own: OwnOptions, options: TrainingOptions | undefined, host: Host) {
  const { data } = task;
  const checkpoints: string[] = [];
  const clear = async () => {
    for (const file of checkpoints) await rm(file, { force: true });
  };
  if (data === undefined || options === undefined) return { fineTune: undefined, clear };
  const fineTune = async (graph: Graph, what: string, share = 1): Promise<Graph> => {
    const checkpoint = `${own.out}.${checkpoints.length + 1}.checkpoint`;
    checkpoints.push(checkpoint);
    const recipe = await softTargets({ ...task, graph: carryMetadata(graph, task) });
    const part = shareOfTraining(options, share);
    const round = {
      ...data,
      options: part,
      recipe,
      graph,
      out: own.out,
      validation: own.validation,
      resume: own.resume,
    };
    return (await trainOrStop(round, checkpoint, `training after ${what}`, host)).graph;
  };
  return { fineTune, clear };
}

/** Trains the result where that is asked for, and writes it either way. */
async function finish(
  graph: Graph,
  asked: TrainingRecipe | undefined,
  task: ApplyTask,
  own: OwnOptions,
  options: TrainingOptions | undefined,
  host: Host,
): Promise<TrainingResult | undefined> {
  if (task.data === undefined || options === undefined) {
    await writeModel(own.out, graph);
    return undefined;
  }
  const recipe = asked ?? (await softTargets({ ...task, graph }));
  const { out, validation, resume } = own;
  return trainToFile({ graph, ...task.data, options, recipe, out, validation, resume }, host);
}

/** What `distill` asks of a training with the given teacher; labels alone where there is none. */
async function softTargets({ graph, teacher }: ApplyTask): Promise<TrainingRecipe | undefined> {
  if (teacher === undefined) return undefined;
  const distill = findMethod("distill");
  const context = { seed: 0, samples: undefined, models: new Map([["teacher", teacher]]), progress: () => {} };
  return (await distill.apply(graph, distill.params.parse({ teacher: "teacher" }), context)).recipe;
}

function carryMetadata(graph: Graph, { data }: ApplyTask): Graph {
  if (data === undefined) return graph;
  const reading = withPreprocessing(graph, data.preprocessing);
  return data.dataset.classes.length === 0 ? reading : withClasses(reading, data.dataset.classes);
}

interface Size {
  readonly parameters: number;
  readonly macs: number;
  readonly fileBytes: number;
}

function costOf(graph: Graph): Pick<Size, "parameters" | "macs"> {
  const { parameters, macs } = analyzeCost(graph);
  return { parameters, macs };
}

function describe(
  { changes, skipped }: Application,
  before: Size,
  after: Size,
  out: string,
  training: TrainingResult | undefined,
): string {
  const row = (name: string, key: keyof Size, format: (value: number) => string) =>
    [name, format(before[key]), format(after[key]), formatRatio(before[key] / after[key])] as const;
  const rows = [
    row("parameters", "parameters", formatCount),
    row("MACs", "macs", formatCount),
    row("file", "fileBytes", formatBytes),
  ];
  return [
    ...changes,
    ...skipped.map(({ node, reason }) => `left alone: ${node}: ${reason}`),
    formatTable(["", "before", "after", "ratio"], rows, [0]),
    training === undefined ? `wrote ${out}` : trainingText(training, out),
  ].join("\n");
}
