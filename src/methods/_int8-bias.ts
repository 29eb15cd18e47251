/**
 * Bias correction (Nagel et al. 2019, arXiv:1906.04721, section 4.2, on data): rounding a weight by `ε = Ŵ - W` moves the mean
 * of output channel o by `E[(ε ∗ x)_o]`, which the bias takes back. The expectation is measured on sample images, borders
 * included, by a copy of each layer that has ε for its weight.
 */
import { ints } from "../graph/attributes.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import { fact } from "../ops/fact.ts";
import type { Facts } from "../ops/infer.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { quantizeWeight } from "./_int8-graph.ts";
import type { Layer } from "./_int8-layer.ts";
import type { Samples } from "./define-method.ts";

/** What to add to the bias of each layer, `-E[(ε ∗ x)_o]`, measured on `limit` samples. */
export async function measureCorrections(
  graph: Graph,
  facts: Facts,
  layers: readonly Layer[],
  levels: number,
  samples: Samples,
  limit: number,
): Promise<Map<Node, Float64Array>> {
  const copies = layers.map((layer, i) => errorLayer(layer, facts, levels, `shift${i}`));
  const measured = removeDead({
    ...graph,
    nodes: [...graph.nodes, ...copies.flatMap((copy) => copy.nodes)],
    initializers: new Map([...graph.initializers, ...copies.map((copy) => [copy.weightName, copy.weight] as const)]),
    outputs: copies.map(({ output }) => ({ name: output, ...fact("float32", undefined) })),
  });
  const sums = layers.map((layer) => new Float64Array(layer.weight.shape[layer.axis]!));
  let images = 0;
  await samples.run(
    measured,
    (outputs) => {
      copies.forEach(({ output }, i) => {
        const means = toNumbers(outputs.get(output)!);
        const sum = sums[i]!;
        means.forEach((mean, at) => {
          sum[at % sum.length]! += mean;
        });
        if (i === 0) images += means.length / sum.length;
      });
    },
    limit,
  );
  return new Map(layers.map(({ node }, i) => [node, sums[i]!.map((sum) => -sum / images)]));
}

/** The layer with its weight's rounding error for a weight, and the mean of what it writes over each image: `(N, O)`. */
function errorLayer(layer: Layer, facts: Facts, levels: number, name: string) {
  const { values, scales } = quantizeWeight(layer, levels);
  const outputs = scales.length;
  const exact = toNumbers(layer.weight);
  const inner = layer.weight.data.length / (layer.axis === 0 ? outputs : layer.weight.shape[0]! * outputs);
  const error = exact.map((w, i) => values.data[i]! * scales[Math.floor(i / inner) % outputs]! - w);
  const weight: Tensor = tensorOf("float32", layer.weight.shape, error);
  const { node, op, attributes } = layer;
  const weightName = `${name}:w`;
  const copy: Node = { ...node, name, op, attributes, inputs: [node.inputs[0]!, weightName], outputs: [`${name}:y`] };
  const rank = facts.get(node.outputs[0]!)?.shape?.length ?? 2;
  const channelAxis = op === "MatMul" ? rank - 1 : 1;
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 0 && axis !== channelAxis);
  if (axes.length === 0) return { nodes: [copy], weightName, weight, output: copy.outputs[0]! };
  const mean: Node = {
    name: `${name}:mean`,
    op: "ReduceMean",
    domain: "",
    inputs: copy.outputs,
    outputs: [`${name}:m`],
    attributes: { axes: ints(axes) },
  };
  return { nodes: [copy, mean], weightName, weight, output: mean.outputs[0]! };
}
