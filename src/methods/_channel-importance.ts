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
  if (importance === "taylor") return taylorScores(graph, classes, samples!);
  const relative = relativeSlices(graph, absoluteWeights(graph, importance));
  const scores = new Map<ChannelClass, number>();
  for (const found of classes) {
    const parts = found.members.flatMap((member) => addSlices(relative, member) ?? []);
    if (parts.length > 0) scores.set(found, parts.reduce((a, b) => a + b, 0) / parts.length);
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

/** Images a gradient is taken over. Of many at once the terms of a trained network cancel out. */
const taylorBatch = 16;

/** `|Σ g·w|` over all slices of a class, the mean over batches. */
async function taylorScores(
  graph: Graph,
  classes: readonly ChannelClass[],
  samples: Samples,
): Promise<Map<ChannelClass, number>> {
  const names = [...findParameters(graph).keys()].filter((name) => graph.initializers.get(name)!.dtype === "float32");
  const { steps, gradients } = gradientGraph(graph, names, Math.min(taylorBatch, samples.count), samples.classes);
  const weights = new Map(names.map((name) => [name, toNumbers(graph.initializers.get(name)!)]));
  const scores = new Map(classes.map((found) => [found, 0]));
  await samples.run(steps, (outputs) => {
    const terms = new Map(
      names.map((name) => [
        name,
        toNumbers(outputs.get(gradients.get(name)!)!).map((g, i) => g * weights.get(name)![i]!),
      ]),
    );
    const slices = slicesOf(graph, terms);
    for (const found of classes) {
      const change = found.members.reduce((sum, member) => sum + (addSlices(slices, member) ?? 0), 0);
      scores.set(found, scores.get(found)! + Math.abs(change));
    }
  });
  return scores;
}

/** The graph of the gradients of the mean cross-entropy for a fixed batch, and the gradients' names. */
function gradientGraph(graph: Graph, names: readonly string[], batch: number, classes: number) {
  const input = feeds(graph)[0]!;
  const inputs = graph.inputs.map((value) =>
    value.name === input.name && value.shape ? { ...value, shape: [batch, ...value.shape.slice(1)] } : value,
  );
  const g = new TypedBuilder({ ...graph, inputs, outputs: [] });
  const targets = g.input("targets", "float32", [batch, classes]);
  const logits = asClassScores(g, logitsOf(graph).name, classes);
  const gradients = appendGradient(g, appendCrossEntropy(g, logits, targets), names);
  for (const name of new Set(gradients.values())) g.output(name);
  return { steps: g.build(), gradients };
}

/** Gives what each slice of an initializer along an axis adds up to, undefined where it is not measured. */
type Slices = (value: string, axis: number) => Float64Array | undefined;

function slicesOf(graph: Graph, magnitudes: Magnitudes): Slices {
  const cache = new Map<string, Float64Array>();
  return (value, axis) => {
    const values = magnitudes.get(value);
    if (values === undefined) return undefined;
    const key = `${axis} ${value}`;
    const sums = cache.get(key) ?? sliceSums(graph.initializers.get(value)!, values, axis);
    cache.set(key, sums);
    return sums;
  };
}

/** Slices relative to the mean slice of their axis. */
function relativeSlices(graph: Graph, magnitudes: Magnitudes): Slices {
  const absolute = slicesOf(graph, magnitudes);
  return (value, axis) => {
    const sums = absolute(value, axis);
    const mean = sums && (sums.reduce((a, b) => a + b, 0) / sums.length || 1);
    return sums?.map((sum) => sum / mean!);
  };
}

function addSlices(slices: Slices, { value, axis, indices }: ClassMember): number | undefined {
  const sums = slices(value, axis);
  return sums && indices.reduce((sum, i) => sum + sums[i]!, 0);
}

function sliceSums({ shape }: Tensor, values: Float64Array, axis: number): Float64Array {
  const length = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  const sums = new Float64Array(length);
  values.forEach((v, i) => {
    sums[Math.floor(i / inner) % length]! += v;
  });
  return sums;
}
