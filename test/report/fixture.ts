/**
 * An INVENTED sample report for tests and screenshots: no network was trained and nothing was measured. The layer table is
 * computed from ResNet-32's published layout (He 2016, arXiv:1512.03385) so that sums agree; accuracies, times and
 * memory are made up to look like a small machine's.
 */

import type { CurvePoint, Layer, Report, Stage, Trial } from "../../src/report/schema.ts";
import { createRandom } from "../../src/tensor/random.ts";

/** The interval Wilson (1927) gives at 95 % for `correct` of `samples`. */
export function wilson(correct: number, samples: number): [number, number] {
  const z = 1.959964;
  const p = correct / samples;
  const centre = (p + z ** 2 / (2 * samples)) / (1 + z ** 2 / samples);
  const half = (z / (1 + z ** 2 / samples)) * Math.sqrt((p * (1 - p)) / samples + z ** 2 / (4 * samples ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

interface LayerPlan {
  /** Share of inner channels kept in each block. */
  readonly keep: (block: number) => number;
  readonly bits: number;
  readonly sparsity: number;
}

function convLayer(name: string, inputs: number, outputs: number, size: number, plan: LayerPlan): Layer {
  const parameters = outputs * inputs * 9 + outputs;
  return {
    name,
    op: "Conv",
    shape: ["N", outputs, size, size],
    parameters,
    macs: outputs * inputs * 9 * size * size,
    weightBytes: Math.ceil((parameters * plan.bits) / 8),
    sparsity: plan.sparsity,
    bits: plan.bits,
  };
}

function plainLayer(name: string, op: string, shape: Layer["shape"]): Layer {
  return { name, op, shape, parameters: 0, macs: 0, weightBytes: 0, sparsity: 0, bits: 32 };
}

/** ResNet-32's layers: a stem, three groups of five blocks of two 3x3 convolutions, a dense head. */
function resnetLayers(plan: LayerPlan): Layer[] {
  const layers: Layer[] = [convLayer("stem/conv", 3, 16, 32, plan), plainLayer("stem/relu", "Relu", ["N", 16, 32, 32])];
  let inputs = 16;
  for (let block = 0; block < 15; block++) {
    const group = Math.floor(block / 5);
    const width = 16 << group;
    const size = 32 >> group;
    const inner = Math.max(4, Math.round((width * plan.keep(block)) / 4) * 4);
    const name = `group${group + 1}/block${(block % 5) + 1}`;
    layers.push(
      convLayer(`${name}/conv1`, inputs, inner, size, plan),
      plainLayer(`${name}/relu1`, "Relu", ["N", inner, size, size]),
      convLayer(`${name}/conv2`, inner, width, size, plan),
      plainLayer(`${name}/add`, "Add", ["N", width, size, size]),
      plainLayer(`${name}/relu2`, "Relu", ["N", width, size, size]),
    );
    inputs = width;
  }
  layers.push(plainLayer("head/pool", "GlobalAveragePool", ["N", 64, 1, 1]), {
    name: "head/fc",
    op: "Gemm",
    shape: ["N", 10],
    parameters: 650,
    macs: 640,
    weightBytes: Math.ceil((650 * plan.bits) / 8),
    sparsity: 0,
    bits: plan.bits,
  });
  return layers;
}

interface StagePlan extends LayerPlan {
  readonly name: string;
  readonly method: string | null;
  readonly params: Record<string, unknown>;
  readonly correct: number;
  readonly agreement: number;
  readonly latency: readonly [number, number];
  readonly peakMemoryBytes: number;
  readonly joulesPerImage: number;
  readonly training: Stage["training"];
  readonly changes: string[];
  readonly skipped: Stage["skipped"];
}

const samples = 10_000;

function stageOf(plan: StagePlan): Stage {
  const layers = resnetLayers(plan);
  const sum = (of: (layer: Layer) => number) => layers.reduce((total, layer) => total + of(layer), 0);
  return {
    name: plan.name,
    method: plan.method,
    params: plan.params,
    file: `${plan.name}.onnx`,
    sha256: [...plan.name, ..."report"]
      .map((c) => c.charCodeAt(0).toString(16).padStart(2, "0"))
      .join("")
      .padEnd(64, "5e"),
    fileBytes: sum((layer) => layer.weightBytes) + 14_200,
    parameters: sum((layer) => layer.parameters),
    macs: sum((layer) => layer.macs),
    accuracy: {
      samples,
      correct: plan.correct,
      top1: plan.correct / samples,
      top5: Math.min(1, plan.correct / samples + 0.071),
      loss: 2.9 * (1 - plan.correct / samples),
      interval: wilson(plan.correct, samples),
    },
    agreement: plan.agreement,
    latencyMs: [1, 64].map((batch, index) => {
      const median = plan.latency[index]!;
      return { batch, threads: 1, runs: 60, median, p10: median * 0.962, p90: median * 1.09 };
    }),
    peakMemoryBytes: plan.peakMemoryBytes,
    energy: { source: "estimate", joulesPerImage: plan.joulesPerImage },
    training: plan.training,
    changes: plan.changes,
    skipped: plan.skipped,
    layers,
  };
}

function curveOf(seed: number, epochs: number, from: number, to: number): CurvePoint[] {
  const random = createRandom(seed);
  return Array.from({ length: epochs * 2 }, (_, index) => {
    const progress = (index + 1) / (epochs * 2);
    const level = to - (to - from) * Math.exp(-3.2 * progress) * (1 - progress);
    return {
      epoch: (index + 1) / 2,
      loss: 3.1 * (1 - level) + 0.015 * random.normal(),
      accuracy: Math.min(1, level + 0.004 * random.normal()),
      validationAccuracy: index % 2 === 0 ? null : Math.min(1, level - 0.021 + 0.003 * random.normal()),
      learningRate: 0.02 * 0.5 * (1 + Math.cos(Math.PI * progress)) + 1e-5,
      imagesPerSecond: 760 + 14 * random.normal(),
    };
  });
}

const dense = () => 1;
const pruned = (block: number) =>
  [0.5, 0.25, 0.5, 0.75, 0.75, 0.375, 0.5, 0.5, 0.625, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125][block] ?? 1;

function trialsOf(): Trial[] {
  const random = createRandom(11);
  const channel = Array.from({ length: 14 }, (_, index): Trial => {
    const sparsity = 0.1 + index * 0.05;
    return {
      method: "prune-channels",
      params: { sparsity: Number(sparsity.toFixed(2)), importance: "taylor" },
      validationAccuracy:
        0.928 - 0.045 * sparsity ** 2 - 0.3 * Math.max(0, sparsity - 0.55) ** 1.4 + 0.0012 * random.normal(),
      fileBytes: Math.round(1_880_000 * (1 - sparsity) ** 1.15),
      macs: Math.round(69_120_000 * (1 - sparsity) ** 1.05),
      latencyMs: 3.42 * (1 - sparsity) ** 0.86,
      kept: index === 8,
    };
  });
  const bits = [2, 4, 6, 8].map(
    (bit): Trial => ({
      method: "quantize",
      params: { bits: bit },
      validationAccuracy: [0.412, 0.879, 0.9145, 0.918][[2, 4, 6, 8].indexOf(bit)]!,
      fileBytes: Math.round((221_000 * bit) / 8) + 14_200,
      macs: 31_900_000,
      latencyMs: 1.02,
      kept: bit === 8,
    }),
  );
  return [...channel, ...bits];
}

/** The invented sample: ResNet-32, channels pruned and tuned, decomposed for nothing, then int8. */
export function sampleReport(): Report {
  const base = { agreement: 1, training: null, changes: [], skipped: [], sparsity: 0, bits: 32 };
  return {
    version: 1,
    netpare: "0.1.0",
    title: "ResNet-32 on CIFAR-10",
    created: "2026-03-14T09:26:53.000Z",
    machine: {
      cpu: "Sample CPU @ 2.60GHz (invented)",
      cores: 2,
      memoryBytes: 8_250_000_000,
      platform: "linux x64",
      node: "20.20.2",
      onnxruntime: "1.30.0",
    },
    data: {
      name: "CIFAR-10",
      spec: "cifar10:data/cifar10",
      classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
      trainSamples: 45_000,
      validationSamples: 5_000,
      testSamples: samples,
    },
    seed: 7,
    recipe: {
      model: "resnet32.onnx",
      data: "cifar10:data/cifar10",
      maxDrop: 0.01,
      stages: [
        { method: "prune-channels", importance: "taylor", sparsity: 0.5, train: { epochs: 12, learningRate: 0.02 } },
        { method: "quantize-int8", calibration: 512 },
      ],
    },
    maxDrop: 0.01,
    totalSeconds: 4_211,
    stages: [
      stageOf({
        ...base,
        name: "original",
        method: null,
        params: {},
        keep: dense,
        correct: 9263,
        latency: [3.42, 171],
        peakMemoryBytes: 78_400_000,
        joulesPerImage: 0.712e-3,
      }),
      stageOf({
        ...base,
        name: "pruned",
        method: "prune-channels",
        params: { importance: "taylor", sparsity: 0.5 },
        keep: pruned,
        correct: 9034,
        agreement: 0.9312,
        latency: [1.74, 88.1],
        peakMemoryBytes: 71_900_000,
        joulesPerImage: 0.299e-3,
        changes: ["15 channel groups cut: 560 channels become 252", "dead nodes removed: 4"],
        skipped: [
          { node: "stem/conv", reason: "its output feeds the residual sum of group1, whose channels must stay equal" },
          { node: "head/fc", reason: "its outputs are the classes" },
        ],
      }),
      stageOf({
        ...base,
        name: "pruned-tuned",
        method: "train",
        params: { epochs: 12, batch: 128, learningRate: 0.02, teacher: "original" },
        keep: pruned,
        correct: 9226,
        agreement: 0.9541,
        latency: [1.74, 88.4],
        peakMemoryBytes: 71_900_000,
        joulesPerImage: 0.299e-3,
        training: {
          seconds: 704,
          epochs: 12,
          peakMemoryBytes: 912_000_000,
          energy: { source: "estimate", joules: 1208.8, joulesPerStep: 0.287, joulesPerImage: 2.24e-3 },
          curve: curveOf(3, 12, 0.86, 0.962),
        },
        changes: ["12 epochs with the original as teacher (temperature 4)"],
      }),
      stageOf({
        ...base,
        name: "int8",
        method: "quantize-int8",
        params: { calibration: 512, perChannel: true },
        keep: pruned,
        bits: 8,
        correct: 9221,
        agreement: 0.9522,
        latency: [1.11, 49.7],
        peakMemoryBytes: 69_300_000,
        joulesPerImage: 0.0531e-3,
        changes: [
          "32 weights to int8 with one scale per output channel",
          "31 activations to uint8, 512 images of calibration",
        ],
        skipped: [{ node: "head/pool", reason: "averages in float32: its int8 form was slower when measured" }],
      }),
    ],
    trials: trialsOf(),
  };
}

/** Text that tries to leave a script element, an attribute, and a terminal line. */
export const hostileText = `</script><img src=x onerror="window.pwned=1"><!--<script>\u2028\u001b[35m"'&`;

/** The sample with `hostileText` wherever a run takes text from a model, a data set or a user. */
export function hostileReport(): Report {
  const report = sampleReport();
  const stages = report.stages.map((stage) => ({
    ...stage,
    name: `${stage.name}${hostileText}`,
    method: hostileText,
    file: hostileText,
    params: { [hostileText]: hostileText },
    changes: [hostileText],
    skipped: [{ node: hostileText, reason: hostileText }],
    layers: stage.layers.map((layer) => ({ ...layer, name: `${layer.name}${hostileText}`, op: hostileText })),
  }));
  return {
    ...report,
    stages,
    title: hostileText,
    created: hostileText,
    recipe: { [hostileText]: [hostileText] },
    machine: { ...report.machine, cpu: hostileText },
    data: { ...report.data, name: hostileText, spec: hostileText, classes: [hostileText] },
    trials: report.trials.map((trial) => ({ ...trial, method: hostileText, params: { [hostileText]: hostileText } })),
  };
}
