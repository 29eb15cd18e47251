/**
 * The shape of report.json: what a run measured, stage by stage, on the exported files themselves.
 * Fractions lie in [0, 1]; times are milliseconds unless the name says seconds; a ratio is never stored, it is
 * computed as original / stage.
 */
import { z } from "zod";

const fraction = z.number().min(0).max(1);
const count = z.number().int().nonnegative();

/** One row of a model's layer table. */
export const layerSchema = z.object({
  name: z.string(),
  op: z.string(),
  /** Output shape; a string stands for a dynamic dimension. */
  shape: z.array(z.union([z.number(), z.string()])),
  parameters: count,
  macs: count,
  weightBytes: count,
  /** Share of zeros among the weights. */
  sparsity: fraction,
  /** Bits of one stored weight. */
  bits: count,
});

/** One point of a training curve, at the end of an epoch or part of one. */
export const curvePointSchema = z.object({
  epoch: z.number(),
  loss: z.number(),
  accuracy: fraction,
  validationAccuracy: fraction.nullable(),
  learningRate: z.number(),
  imagesPerSecond: z.number(),
});

/** Latency of one setting, measured in alternation with the other stages. */
export const latencySchema = z.object({
  batch: count,
  threads: count,
  runs: count,
  median: z.number(),
  p10: z.number(),
  p90: z.number(),
});

const joules = z.number().nonnegative();

/** Where energy comes from: the machine's counters, or an estimate from counted operations and bytes moved. */
export const energySourceSchema = z.enum(["powercap", "estimate"]);

/** Energy of inference at batch 1, or at the batch that the models fix. */
export const energySchema = z.object({ source: energySourceSchema, joulesPerImage: joules });

/** Energy of a training over all its steps. */
export const trainingEnergySchema = energySchema.extend({ joules, joulesPerStep: joules });

/** Accuracy on the test split; the interval is Wilson's at 95 %. */
export const accuracySchema = z.object({
  samples: count,
  correct: count,
  top1: fraction,
  top5: fraction,
  loss: z.number(),
  interval: z.tuple([fraction, fraction]),
});

/** What a stage that is an ensemble averages, and the share of test images on which each two of its members differ. */
export const ensembleSchema = z.object({
  members: z.array(z.object({ file: z.string(), fileBytes: count, accuracy: accuracySchema })).min(1),
  disagreement: z.array(z.array(fraction)),
});

const codeSizes = {
  /** In the file. */
  bytes: count,
  /** The zero-order entropy of each stream. */
  entropyBytes: count,
  /** What the coder's models expect. */
  modelBytes: count,
  /** In static Huffman codes. */
  huffmanBytes: count,
};

/** A stage as a `.pare` file, and where its bytes go; accuracy is that of the file in netpare's runtime. */
export const codedSchema = z.object({
  file: z.string(),
  sha256: z.string(),
  fileBytes: count,
  accuracy: accuracySchema,
  agreement: fraction,
  weights: z.object({ count, density: fraction, ...codeSizes }),
  otherBytes: count,
  structureBytes: count,
  layers: z.array(
    z.object({
      layer: z.string(),
      shape: z.array(count),
      weights: count,
      density: fraction,
      values: count,
      ...codeSizes,
    }),
  ),
  histogram: z.array(fraction),
});

/** How a training kept to its memory budget. */
export const memorySchema = z.object({
  budgetBytes: count,
  policy: z.string(),
  predictedBytes: count,
  ranges: count,
  recomputedMacs: count,
  offloadedBytes: count,
});

/** One stage of a run: a model file and all that was measured on it. */
export const stageSchema = z.object({
  name: z.string(),
  /** The method that made it; null for the original. */
  method: z.string().nullable(),
  params: z.record(z.string(), z.unknown()),
  /** Path relative to the run folder. */
  file: z.string(),
  sha256: z.string(),
  fileBytes: count,
  parameters: count,
  macs: count,
  accuracy: accuracySchema,
  /** Share of test samples on which this stage and the original name the same class. */
  agreement: fraction,
  latencyMs: z.array(latencySchema),
  /** Peak resident memory of a fresh process that loads the file and runs it at batch 1. */
  peakMemoryBytes: count,
  /** Null where no counter was readable and not all operations could be counted; absent from reports that tell no energy. */
  energy: energySchema.nullable().optional(),
  training: z
    .object({
      seconds: z.number(),
      epochs: z.number(),
      peakMemoryBytes: count,
      energy: trainingEnergySchema.nullable().optional(),
      memory: memorySchema.nullable().optional(),
      curve: z.array(curvePointSchema),
    })
    .nullable(),
  ensemble: ensembleSchema.nullable().optional(),
  /** Null where a `.pare` file or the runtime cannot hold the network; absent from reports that do not tell. */
  coded: codedSchema.nullable().optional(),
  changes: z.array(z.string()),
  skipped: z.array(z.object({ node: z.string(), reason: z.string() })),
  layers: z.array(layerSchema),
});

/** One setting that a search tried, judged on the validation split. */
export const trialSchema = z.object({
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
  validationAccuracy: fraction,
  fileBytes: count,
  macs: count,
  latencyMs: z.number(),
  kept: z.boolean(),
});

export const reportSchema = z.object({
  version: z.literal(1),
  netpare: z.string(),
  title: z.string(),
  created: z.string(),
  machine: z.object({
    cpu: z.string(),
    cores: count,
    memoryBytes: count,
    platform: z.string(),
    node: z.string(),
    onnxruntime: z.string(),
  }),
  data: z.object({
    name: z.string(),
    /** What was given as --data. */
    spec: z.string(),
    classes: z.array(z.string()),
    trainSamples: count,
    validationSamples: count,
    testSamples: count,
  }),
  seed: z.number().int(),
  /** The recipe that makes this run again. */
  recipe: z.unknown(),
  /** The most accuracy that may be lost, as a fraction; null where no budget was set. */
  maxDrop: fraction.nullable(),
  totalSeconds: z.number(),
  stages: z.array(stageSchema).min(1),
  trials: z.array(trialSchema),
  /** SHA-256 of the report without this field, set where it is written; tells of later changes. */
  digest: z.string().optional(),
});

export type Layer = z.infer<typeof layerSchema>;
export type CurvePoint = z.infer<typeof curvePointSchema>;
export type Latency = z.infer<typeof latencySchema>;
export type EnergySource = z.infer<typeof energySourceSchema>;
export type TrainingEnergy = z.infer<typeof trainingEnergySchema>;
export type Coded = z.infer<typeof codedSchema>;
export type Ensemble = z.infer<typeof ensembleSchema>;
export type Stage = z.infer<typeof stageSchema>;
export type Trial = z.infer<typeof trialSchema>;
export type Report = z.infer<typeof reportSchema>;
