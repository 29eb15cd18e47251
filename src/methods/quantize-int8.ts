/**
 * INT8 quantization after training: `x ≈ (q - z)·s` with 8-bit q, weights with a scale a channel, activations with ranges
 * measured on sample images (Jacob et al. 2017, arXiv:1712.05877; Migacz 2017; Krishnamoorthi 2018, arXiv:1806.08342).
 *
 * The result is plain ONNX in QDQ form that onnxruntime and netpare's runtime run on integer kernels. Rounding shifts the mean of a
 * layer's output by `E[ε ∗ x]`, `ε = Ŵ - W`; bias correction takes that off the bias (Nagel et al. 2019, arXiv:1906.04721, 4.2).
 * With `sensitivity`, the layers that change the output most on their own stay in float until the loss is within `maxDrop`.
 * Limits: networks of very small or depthwise layers get smaller and may get slower, since their integer kernels gain nothing.
 */
import { z } from "zod";
import type { Graph, Node } from "../graph/graph.ts";
import { inferFacts } from "../ops/infer.ts";
import { shippingPasses, simplify } from "../passes/index.ts";
import { NetpareError } from "../tensor/error.ts";
import { measureCorrections } from "./_int8-bias.ts";
import { equalize } from "./_int8-equalize.ts";
import { writeInt8 } from "./_int8-graph.ts";
import { type Plan, planInt8 } from "./_int8-plan.ts";
import {
  calibrations,
  chooseRange,
  measureRanges,
  type Range,
  type Scale,
  type Statistics,
  scaleOf,
} from "./_int8-ranges.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { rankBySensitivity } from "./_sensitivity.ts";
import { type Application, defineMethod, type MethodContext, type Samples } from "./define-method.ts";

const params = z.object({
  calibration: z.enum(calibrations).default("mse").describe("how an activation's range is chosen from what it takes"),
  percentile: z
    .number()
    .min(50)
    .max(100)
    .default(99.99)
    .describe("percent of an activation's values inside its range, for calibration by percentile"),
  samples: z.number().int().positive().default(512).describe("images on which ranges are measured"),
  biasCorrection: z.boolean().default(true).describe("take the mean error of rounded weights off the biases"),
  equalize: z.boolean().default(false).describe("even out channel ranges between consecutive layers first"),
  reduceRange: z
    .boolean()
    .default(false)
    .describe("7-bit weights, for processors without VNNI or dot-product instructions, whose 8-bit sums saturate"),
  keepFloat: z
    .array(z.string())
    .default([])
    .describe("layers that stay in float: names, or regular expressions that match whole names"),
  sensitivity: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("how many layers may stay in float, those that hurt most first, to keep within maxDrop; 0 measures none"),
  maxDrop: z.number().min(0).max(1).default(0.005).describe("share of right answers that may be lost, for sensitivity"),
});

type Params = z.output<typeof params>;

export const quantizeInt8 = defineMethod({
  name: "quantize-int8",
  summary: "8-bit integers for weights and activations, after training",
  paper:
    "Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2017, " +
    "arXiv:1712.05877; Nagel et al., Data-Free Quantization, 2019, arXiv:1906.04721",
  params,
  examples: [
    "resnet32.onnx --data cifar10:DIR --out int8.onnx",
    "resnet32.onnx --data cifar10:DIR --keep-float conv1,linear --out int8.onnx",
  ],
  requires: () => ["data"],
  async apply(graph, options, context) {
    const { samples } = context;
    if (samples === undefined)
      throw new NetpareError("bad-option", "quantize-int8 measures ranges on images: give it data with --data");
    if (graph.nodes.some((node) => node.op === "QuantizeLinear"))
      return { graph, changes: [], skipped: [{ node: graph.name, reason: "the model is quantized already" }] };
    const keep = layerMatcher(graph, "keepFloat", options.keepFloat);
    const simple = simplify(graph, shippingPasses).graph;
    const prepared = options.equalize ? equalize(simple) : { graph: simple, pairs: 0 };
    const quantizer = createQuantizer(prepared.graph, options, samples);
    const { quantized, kept, changes } = await quantizeWithin(quantizer, keep, options, samples, context);
    const count = layersOf(quantized.plan).length;
    const skipped = [...quantized.plan.skipped, ...kept];
    if (count === 0) return { graph, changes: [], skipped };
    const evened = prepared.pairs > 0 ? [`evened out the channels of ${prepared.pairs} pairs of layers`] : [];
    const summary = `${count} layers compute in 8 bits, their ranges by ${options.calibration} on images of the training data`;
    return { graph: quantized.graph, changes: [...evened, summary, ...changes], skipped };
  },
});

interface Quantized {
  readonly graph: Graph;
  readonly plan: Plan;
}

/** Quantizes one network again and again with other layers left in float; what was measured is kept. */
interface Quantizer {
  readonly original: Graph;
  quantize(keepFloat: (node: Node) => boolean): Promise<Quantized>;
}

const layersOf = (plan: Plan) =>
  [...plan.steps.values()].flatMap((step) => (step.kind === "layer" ? [step.layer] : []));

function createQuantizer(graph: Graph, options: Params, samples: Samples): Quantizer {
  const facts = inferFacts(graph);
  const limit = options.samples;
  const statistics = new Map<string, Statistics>();
  const corrections = new Map<Node, Float64Array>();
  const levels = options.reduceRange ? 63 : 127;
  const measure = async (plan: Plan) => {
    const unseen = [...plan.sources].filter((name) => !statistics.has(name));
    const histograms = options.calibration !== "minmax";
    if (unseen.length > 0)
      for (const [name, found] of await measureRanges(graph, facts, unseen, samples, { limit, histograms }))
        statistics.set(name, found);
    const layers = options.biasCorrection
      ? layersOf(plan).filter(({ node, bias }) => bias && !corrections.has(node))
      : [];
    if (layers.length > 0)
      for (const [node, found] of await measureCorrections(graph, facts, layers, levels, samples, limit))
        corrections.set(node, found);
  };
  return {
    original: graph,
    async quantize(keepFloat) {
      const plan = planInt8(graph, facts, keepFloat);
      await measure(plan);
      const scales = scalesOf(plan, statistics, options);
      return { plan, graph: writeInt8(graph, plan, { scales, weightLevels: levels, corrections }) };
    },
  };
}

/** The scale of each group of values: of the union of their ranges. */
function scalesOf(plan: Plan, statistics: ReadonlyMap<string, Statistics>, options: Params): Map<string, Scale> {
  const ranges = new Map<string, Range>();
  for (const name of plan.sources) {
    const { low, high } = chooseRange(statistics.get(name)!, options.calibration, options.percentile);
    const key = plan.representative(name);
    const before = ranges.get(key);
    ranges.set(key, { low: Math.min(low, before?.low ?? 0), high: Math.max(high, before?.high ?? 0) });
  }
  return new Map([...ranges].map(([name, range]) => [name, scaleOf(range)]));
}

/** Images on which a layer's own effect is measured. */
const sensitivitySamples = 256;

/** Quantizes; where asked, leaves the most sensitive layers in float one after another until the accuracy is kept. */
async function quantizeWithin(
  quantizer: Quantizer,
  keep: (node: Node) => boolean,
  options: Params,
  samples: Samples,
  { progress }: MethodContext,
): Promise<{ quantized: Quantized; kept: Application["skipped"]; changes: string[] }> {
  const full = await quantizer.quantize(keep);
  const asked = quantizer.original.nodes
    .filter((node) => keep(node))
    .map((node) => ({ node: layerName(node), reason: "kept in float as asked" }));
  if (options.sensitivity === 0) return { quantized: full, kept: asked, changes: [] };
  const { original } = quantizer;
  const before = await samples.accuracy(original);
  const layers = layersOf(full.plan).map((layer) => layer.node);
  const alone = async (only: Node) => (await quantizer.quantize((node) => node !== only)).graph;
  const ranked = await rankBySensitivity(original, layers, alone, samples, sensitivitySamples, (done) =>
    progress(done, layers.length, "measuring the sensitivity of layers"),
  );
  let quantized = full;
  const float = new Set<Node>();
  let drop = before - (await samples.accuracy(full.graph));
  while (drop > options.maxDrop && float.size < Math.min(options.sensitivity, ranked.length)) {
    float.add(ranked[float.size]!.node);
    quantized = await quantizer.quantize((node) => keep(node) || float.has(node));
    drop = before - (await samples.accuracy(quantized.graph));
  }
  const noise = (node: Node) => ranked.find((entry) => entry.node === node)!.noise.toExponential(1);
  const kept = [...float].map((node) => ({
    node: layerName(node),
    reason: `kept in float: in 8 bits it alone adds ${noise(node)} of the output's power as noise`,
  }));
  const change = `${(100 * drop).toFixed(2)} points of accuracy lost on the sample images`;
  return { quantized, kept: [...asked, ...kept], changes: [change] };
}
