/** Which layers suffer most from being stored in fewer bits: each is changed alone, and the change of the network's output is measured. */
import type { Graph, Node } from "../graph/graph.ts";
import { toNumbers } from "../tensor/tensor.ts";
import type { Samples } from "./define-method.ts";

/** A layer and what its change alone does to the output: `Σ (ŷ - y)² / Σ y²`. */
export interface Sensitivity {
  readonly node: Node;
  readonly noise: number;
}

/** The layers by falling noise over `limit` samples; `alone(node)` is the graph in which only `node` is changed. */
export async function rankBySensitivity(
  graph: Graph,
  layers: readonly Node[],
  alone: (node: Node) => Promise<Graph>,
  samples: Samples,
  limit: number,
  progress: (done: number) => void,
): Promise<Sensitivity[]> {
  const reference = await outputsOf(graph, samples, limit);
  const power = reference.reduce((sum, batch) => sum + dot(batch, batch), 0) || 1;
  const ranked: Sensitivity[] = [];
  for (const [i, node] of layers.entries()) {
    const outputs = await outputsOf(await alone(node), samples, limit);
    const noise = outputs.reduce((sum, batch, at) => {
      const difference = batch.map((y, j) => y - reference[at]![j]!);
      return sum + dot(difference, difference);
    }, 0);
    ranked.push({ node, noise: noise / power });
    progress(i + 1);
  }
  return ranked.sort((a, b) => b.noise - a.noise);
}

async function outputsOf(graph: Graph, samples: Samples, limit: number): Promise<Float64Array[]> {
  const batches: Float64Array[] = [];
  const name = graph.outputs[0]!.name;
  await samples.run(graph, (outputs) => batches.push(toNumbers(outputs.get(name)!)), limit);
  return batches;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
