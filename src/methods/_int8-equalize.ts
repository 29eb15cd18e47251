/**
 * Cross-layer equalization (Nagel et al. 2019, arXiv:1906.04721, section 4.1). Where a Conv feeds a Conv alone, directly or
 * through Relu, channel c may be scaled down before and up after without changing the network: `W1_c / s`, `b1_c / s`,
 * `W2_c · s` with `s = √(max|W1_c| / max|W2_c|)`, so that both layers use their ranges equally.
 */
import { consumers, type Graph, type Node } from "../graph/graph.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";

/** Rounds over all pairs, so that chains of layers even out. */
const rounds = 5;

interface Pair {
  readonly first: Node;
  readonly second: Node;
}

/** The equalized graph and how many pairs of layers took part; the graph itself where there are none. */
export function equalize(graph: Graph): { graph: Graph; pairs: number } {
  const pairs = findPairs(graph);
  if (pairs.length === 0) return { graph, pairs: 0 };
  const weights = new Map(graph.initializers);
  for (let round = 0; round < rounds; round++) for (const pair of pairs) equalizePair(weights, pair);
  return { graph: { ...graph, initializers: weights }, pairs: pairs.length };
}

function findPairs(graph: Graph): Pair[] {
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const alone = (name: string) =>
    readers.get(name)?.length === 1 && !outputs.has(name) ? readers.get(name)![0]! : undefined;
  const owned = (node: Node) =>
    node.op === "Conv" &&
    node.domain === "" &&
    node.inputs
      .slice(1)
      .every((name) => name === "" || (graph.initializers.has(name) && readers.get(name)!.length === 1));
  return graph.nodes.flatMap((first) => {
    if (!owned(first)) return [];
    const next = alone(first.outputs[0]!);
    const second = next?.op === "Relu" ? alone(next.outputs[0]!) : next;
    return second && owned(second) && second.inputs[0] !== first.inputs[0] && mapsChannels(graph, second)
      ? [{ first, second }]
      : [];
  });
}

/** Whether each input channel of a convolution has weights of its own: one group, or one channel a group. */
function mapsChannels(graph: Graph, { attributes, inputs }: Node): boolean {
  const group = attributes.group?.kind === "int" ? attributes.group.value : 1;
  const [outputs, perGroup] = graph.initializers.get(inputs[1]!)!.shape;
  return group === 1 || (perGroup === 1 && outputs === group);
}

function equalizePair(weights: Map<string, Tensor>, { first, second }: Pair): void {
  const before = weights.get(first.inputs[1]!)!;
  const after = weights.get(second.inputs[1]!)!;
  const channels = before.shape[0]!;
  const outOf = (i: number) => Math.floor(i / sizeOf(before.shape.slice(1)));
  const depthwise = after.shape[1] === 1 && after.shape[0] === channels && channels > 1;
  const inner = sizeOf(after.shape.slice(2));
  const intoOf = (i: number) => (depthwise ? Math.floor(i / inner) : Math.floor(i / inner) % channels);
  const [a, b] = [largest(before, channels, outOf), largest(after, channels, intoOf)];
  const s = a.map((r, c) => (r > 0 && b[c]! > 0 ? Math.sqrt(r / b[c]!) : 1));
  const scaled = (t: Tensor, f: (v: number, i: number) => number) => tensorOf(t.dtype, t.shape, toNumbers(t).map(f));
  weights.set(
    first.inputs[1]!,
    scaled(before, (v, i) => v / s[outOf(i)]!),
  );
  weights.set(
    second.inputs[1]!,
    scaled(after, (v, i) => v * s[intoOf(i)]!),
  );
  const bias = first.inputs[2];
  if (bias)
    weights.set(
      bias,
      scaled(weights.get(bias)!, (v, i) => v / s[i]!),
    );
}

function largest(weight: Tensor, channels: number, channelOf: (i: number) => number): Float64Array {
  const found = new Float64Array(channels);
  toNumbers(weight).forEach((v, i) => {
    const c = channelOf(i);
    found[c] = Math.max(found[c]!, Math.abs(v));
  });
  return found;
}
