/** How important the channel classes of a network are; see prune-channels for the three measures. */
import type { ChannelClass, ChannelGroups, ClassMember } from "../analysis/index.ts";
import { appendCrossEntropy, asClassScores, logitsOf } from "../autodiff/losses.ts";
import { appendGradient } from "../autodiff/reverse.ts";
import { consumers, feeds, type Graph } from "../graph/graph.ts";
import { findParameters } from "../ops/parameters.ts";
import { TypedBuilder } from "../ops/typed-builder.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, toNumbers } from "../tensor/tensor.ts";
import type { Samples } from "./define-method.ts";

/** The measures of importance. */
export const importances = ["l1", "bn-scale", "taylor"] as const;
export type Importance = (typeof importances)[number];

/** The importance of every class; a class that the measure cannot judge has none. */
export async function scoreClasses(
  graph: Graph,
  { classes }: ChannelGroups,
  importance: Importance,
  samples: Samples | undefined,
): Promise<Map<ChannelClass, number>> {
  const magnitudes = importance === "taylor" ? await taylorTerms(graph, samples!) : absoluteWeights(graph, importance);
  const sums = createSliceSums(graph, magnitudes, importance === "taylor");
  const scores = new Map<ChannelClass, number>();
  for (const found of classes) {
    const parts = found.members.flatMap((member) => sums(member) ?? []);
    if (parts.length === 0) continue;
    const total = parts.reduce((a, b) => a + b, 0);
    scores.set(found, importance === "taylor" ? total : total / parts.length);
  }
  return scores;
}

/** Values by initializer whose slices are added up. */
type Magnitudes = ReadonlyMap<string, Float64Array>;

/** `|w|` of weights of rank 2 and more, or `|γ|` of BatchNormalization scales. */
function absoluteWeights(graph: Graph, importance: "l1" | "bn-scale"): Magnitudes {
  const readers = consumers(graph);
  const scales = (name: string) =>
    (readers.get(name) ?? []).some((node) => node.op === "BatchNormalization" && node.inputs[1] === name);
  const names = [...findParameters(graph).keys()].filter((name) =>
    importance === "l1" ? graph.initializers.get(name)!.shape.length >= 2 : scales(name),
  );
  return new Map(names.map((name) => [name, toNumbers(graph.initializers.get(name)!).map(Math.abs)]));
}

/**
 * `g·w` of every float parameter, g being the gradient of the mean cross-entropy, summed over the samples' batches.
 * Signs are kept: a slice's terms are added before the absolute value is taken.
 */
async function taylorTerms(graph: Graph, samples: Samples): Promise<Magnitudes> {
  const batch = Math.min(32, samples.count);
  const names = [...findParameters(graph).keys()].filter((name) => graph.initializers.get(name)!.dtype === "float32");
  const input = feeds(graph)[0]!;
  const inputs = graph.inputs.map((value) =>
    value.name === input.name && value.shape ? { ...value, shape: [batch, ...value.shape.slice(1)] } : value,
  );
  const g = new TypedBuilder({ ...graph, inputs, outputs: [] });
  const targets = g.input("targets", "float32", [batch, samples.classes]);
  const logits = asClassScores(g, logitsOf(graph).name, samples.classes);
  const gradients = appendGradient(g, appendCrossEntropy(g, logits, targets), names);
  for (const name of new Set(gradients.values())) g.output(name);
  const sums = new Map(names.map((name) => [name, new Float64Array(sizeOf(graph.initializers.get(name)!.shape))]));
  await samples.run(g.build(), (outputs) => {
    for (const [name, sum] of sums) {
      const gradient = toNumbers(outputs.get(gradients.get(name)!)!);
      for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!;
    }
  });
  for (const [name, sum] of sums) {
    const weights = toNumbers(graph.initializers.get(name)!);
    for (let i = 0; i < sum.length; i++) sum[i]! *= weights[i]!;
  }
  return sums;
}

/**
 * Returns what a member's slices of an initializer add up to, undefined where it is not measured. Sums are of absolute values
 * relative to the mean slice of their axis, or, where `signed`, the absolute sum.
 */
function createSliceSums(
  graph: Graph,
  magnitudes: Magnitudes,
  signed: boolean,
): (member: ClassMember) => number | undefined {
  const cache = new Map<string, Float64Array>();
  return ({ value, axis, indices }) => {
    const values = magnitudes.get(value);
    if (values === undefined) return undefined;
    const key = `${axis} ${value}`;
    const slices = cache.get(key) ?? sliceSums(graph.initializers.get(value)!, values, axis, signed);
    cache.set(key, slices);
    return indices.reduce((sum, i) => sum + slices[i]!, 0);
  };
}

function sliceSums({ shape }: Tensor, values: Float64Array, axis: number, signed: boolean): Float64Array {
  const length = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  const sums = new Float64Array(length);
  values.forEach((v, i) => {
    sums[Math.floor(i / inner) % length]! += v;
  });
  if (signed) return sums.map(Math.abs);
  const mean = sums.reduce((a, b) => a + b, 0) / length || 1;
  return sums.map((sum) => sum / mean);
}
