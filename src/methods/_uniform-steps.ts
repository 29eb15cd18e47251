/**
 * Weights as whole numbers of steps, which an entropy coder makes as short as codebooks of any kind at that error (Gish, Pierce 1968).
 * A layer's step is `step` standard deviations. With samples the steps are weighed: each layer is rounded alone and the change d·Δ² of
 * the network's output measured; for n weights a layer, Σ d·Δ² is least at a given size where Δ² ∝ n / d. Weights are then rounded
 * so that each convolution changes least, and biases take back the mean.
 */
import { consumers, type Graph, type Node } from "../graph/graph.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { LayerWeight } from "./_layer-weights.ts";
import { type Inputs, measureInputs, roundAgainst } from "./_least-change.ts";
import { rankBySensitivity } from "./_sensitivity.ts";
import type { MethodContext, Samples } from "./define-method.ts";

/** A weight in steps; `bias` is what its layer's bias becomes. */
export interface Stepped {
  readonly step: number;
  readonly values: Float32Array<ArrayBuffer>;
  readonly bias?: { readonly name: string; readonly tensor: Tensor<"float32"> };
}

/** Largest number of steps that a file holds. */
const largest = 2 ** 15 - 1;
/** Bits of a step, so that its multiples are exact. */
const stepBits = 8;
/** Samples on which inputs are measured, and single layers tried. */
const inputSamples = 64;
const trialSamples = 16;
/** A step at which a layer's rounding shows, in its standard deviations. */
const trialStep = 0.3;

/** Each weight in steps of `step` standard deviations. */
export async function roundToSteps(
  graph: Graph,
  weights: readonly LayerWeight[],
  step: number,
  { samples, progress }: Pick<MethodContext, "samples" | "progress">,
): Promise<Map<LayerWeight, Stepped>> {
  const inputs = samples ? await inputsOfLayers(graph, weights, samples) : new Map<Node, Inputs>();
  const round = (weight: LayerWeight, size: number) => roundWeight(graph, weight, inputs.get(weight.layers[0]!), size);
  const factors = samples ? await weighSteps(graph, weights, round, samples, progress) : weights.map(() => 1);
  return new Map(weights.map((weight, i) => [weight, round(weight, step * factors[i]! * spread(weight.tensor.data))]));
}

/** Root mean square; 1 for zeros. */
const spread = (data: Float32Array) =>
  Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length) || 1;

async function inputsOfLayers(
  graph: Graph,
  weights: readonly LayerWeight[],
  samples: Samples,
): Promise<Map<Node, Inputs>> {
  const convolutions = weights.flatMap(({ layers, tensor: weight }) => {
    const node = layers[0]!;
    const group = node.attributes.group;
    const single = layers.length === 1 && node.op === "Conv" && (group?.kind !== "int" || Number(group.value) === 1);
    return single && biasOf(graph, node) !== undefined ? [{ node, weight }] : [];
  });
  return convolutions.length === 0 ? new Map() : measureInputs(graph, convolutions, samples, inputSamples);
}

/** A layer's stored bias, where no other reads it. */
function biasOf(graph: Graph, node: Node): { name: string; tensor: Tensor<"float32"> } | undefined {
  const name = node.inputs[2] ?? "";
  const stored = graph.initializers.get(name);
  if (stored?.dtype !== "float32" || consumers(graph).get(name)?.length !== 1) return undefined;
  return { name, tensor: stored as Tensor<"float32"> };
}

const wholeNumber = (steps: number) => Math.max(-largest, Math.min(largest, Math.round(steps)));

function roundWeight(graph: Graph, weight: LayerWeight, inputs: Inputs | undefined, size: number): Stepped {
  const { data } = weight.tensor;
  const grain = 2 ** (Math.floor(Math.log2(size)) + 1 - stepBits);
  const step = grain * Math.round(size / grain);
  const round = (value: number, at: number) => {
    if (weight.masked && data[at] === 0) return 0;
    return Math.fround(step * wholeNumber(value / step)) + 0;
  };
  if (inputs === undefined) return { step, values: data.map(round) };
  const { values, biases } = roundAgainst(data, inputs, round);
  const { name, tensor: bias } = biasOf(graph, weight.layers[0]!)!;
  return {
    step,
    values,
    bias: {
      name,
      tensor: tensor(
        "float32",
        bias.shape,
        bias.data.map((value, o) => value + biases[o]!),
      ),
    },
  };
}

/** By how much each layer's step is longer than the network's, their mean over all weights being 1. */
async function weighSteps(
  graph: Graph,
  weights: readonly LayerWeight[],
  round: (weight: LayerWeight, size: number) => Stepped,
  samples: Samples,
  progress: MethodContext["progress"],
): Promise<number[]> {
  const byNode = new Map(weights.map((weight) => [weight.layers[0]!, weight]));
  const alone = async (node: Node) => {
    const weight = byNode.get(node)!;
    const { values, bias } = round(weight, trialStep * spread(weight.tensor.data));
    const changed: [string, Tensor][] = [[weight.name, tensor("float32", weight.tensor.shape, values)]];
    if (bias) changed.push([bias.name, bias.tensor]);
    return { ...graph, initializers: new Map([...graph.initializers, ...changed]) };
  };
  const ranked = await rankBySensitivity(graph, [...byNode.keys()], alone, samples, trialSamples, (done) =>
    progress(done, weights.length, "weighing steps"),
  );
  const noise = new Map(ranked.map((found) => [byNode.get(found.node)!, found.noise]));
  const counts = weights.map((weight) => weight.tensor.data.length);
  const logs = weights.map((weight, i) => Math.log(counts[i]! / Math.max(noise.get(weight)!, 1e-12)) / 2);
  const mean = logs.reduce((sum, log, i) => sum + log * counts[i]!, 0) / counts.reduce((a, b) => a + b);
  return logs.map((log) => Math.exp(log - mean));
}
