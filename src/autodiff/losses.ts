/**
 * Losses as nodes.
 * Cross-entropy `L = -1/N Σ_n Σ_k t_nk · log softmax(z_n)_k` with targets of any distribution (one-hot, smoothed, mixed).
 */
import { int } from "../graph/attributes.ts";
import { type Graph, nodeLabel, producers } from "../graph/graph.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { NetpareError } from "../tensor/error.ts";

/** Where the classes' scores stand in a graph, and whether its output is their Softmax. */
export interface Logits {
  readonly name: string;
  readonly output: "logits" | "probabilities" | "log-probabilities";
}

/** The value before a final Softmax or LogSoftmax, or the first output itself. */
export function logitsOf(graph: Graph): Logits {
  const writer = producers(graph);
  let name = graph.outputs[0]!.name;
  for (let node = writer.get(name); node?.op === "Identity"; node = writer.get(name)) name = node.inputs[0]!;
  const last = writer.get(name);
  if (last?.op === "Softmax") return { name: last.inputs[0]!, output: "probabilities" };
  if (last?.op === "LogSoftmax") return { name: last.inputs[0]!, output: "log-probabilities" };
  return { name, output: "logits" };
}

/**
 * Scores as a matrix `(N, classes)`; axes of size 1 behind the classes are dropped.
 * @throws NetpareError `bad-model` where the value is no such matrix.
 */
export function asClassScores(g: TypedBuilder, scores: string, classes: number): string {
  const shape = g.shape(scores);
  if (shape[1] !== classes || shape.slice(2).some((dim) => dim !== 1)) {
    const last = g.nodes.find((node) => node.outputs.includes(scores));
    const where = last ? nodeLabel(last) : `'${scores}'`;
    throw new NetpareError(
      "bad-model",
      `${where} gives shape [${shape}], the data's ${classes} classes want [N, ${classes}]`,
    );
  }
  return shape.length === 2 ? scores : g.reshape(scores, [shape[0]!, classes]);
}

/** Appends the mean cross-entropy of `logits` against `targets`, both `(N, classes)`, and returns the scalar's name. */
export function appendCrossEntropy(g: TypedBuilder, logits: string, targets: string): string {
  const logProbabilities = g.op("LogSoftmax", [logits], { axis: int(-1) });
  const agreement = g.reduceSum(g.mul(targets, logProbabilities), [0, 1], false);
  return g.scale(agreement, -1 / g.shape(logits)[0]!);
}

/** Appends the number of rows whose largest logit is at the largest target, as a float scalar. */
export function appendCorrectCount(g: TypedBuilder, logits: string, targets: string): string {
  const best = (scores: string) => g.op("ArgMax", [scores], { axis: int(-1), keepdims: int(0) });
  const hits = g.op("Cast", [g.op("Equal", [best(logits), best(targets)])], { to: int(1) });
  return g.reduceSum(hits, [0], false);
}
