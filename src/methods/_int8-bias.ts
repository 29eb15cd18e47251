/**
 * Bias correction (Nagel et al. 2019, arXiv:1906.04721, section 4.2): rounding a weight by `ε = Ŵ - W` moves the mean of output
 * channel o by `Σ_{i,k} ε[o,i,k] · E[x_i]`, which the bias takes back. `E[x_i]` is measured on sample images; at the border of
 * a padded convolution it is a little smaller than assumed.
 */
import type { Graph, Node } from "../graph/graph.ts";
import type { Facts } from "../ops/infer.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, toNumbers } from "../tensor/tensor.ts";
import { quantizeLayer } from "./_int8-graph.ts";
import type { Layer } from "./_int8-layer.ts";
import { runValues, type Scale } from "./_int8-ranges.ts";
import type { Samples } from "./define-method.ts";

/** Means of each channel of `values` over `limit` samples: axis 1, or the last one of a value that `lastAxis` names. */
export async function measureMeans(
  graph: Graph,
  facts: Facts,
  values: ReadonlyMap<string, "last" | "second">,
  samples: Samples,
  limit: number,
): Promise<Map<string, Float64Array>> {
  const sums = new Map<string, { sum: Float64Array; count: number }>();
  await runValues(graph, facts, [...values.keys()], samples, limit, (name, value) => {
    const axis = values.get(name) === "last" ? value.shape.length - 1 : 1;
    const held = sums.get(name) ?? { sum: new Float64Array(value.shape[axis]!), count: 0 };
    sums.set(name, held);
    held.count += addChannels(held.sum, value, axis);
  });
  return new Map([...sums].map(([name, { sum, count }]) => [name, sum.map((s) => s / count)]));
}

/** Adds up the channels of `value` and returns how many elements each had. */
function addChannels(sum: Float64Array, value: Tensor, axis: number): number {
  const data = toNumbers(value);
  const inner = sizeOf(value.shape.slice(axis + 1));
  for (let i = 0; i < data.length; i++) sum[Math.floor(i / inner) % sum.length]! += data[i]!;
  return data.length / sum.length;
}

/** `-Σ ε·E[x]` of each output channel. */
export function biasCorrection(layer: Layer, x: Scale, levels: number, means: Float64Array): Float64Array {
  const { weight } = quantizeLayer(layer, x, levels);
  const exact = toNumbers(layer.weight);
  const { shape } = layer.weight;
  const outputs = shape[layer.axis]!;
  const correction = new Float64Array(outputs);
  // Dense weights are (I, O) or (O, I); convolutions (O, I / groups, ...) with O / groups outputs a group.
  const [perGroup, taps] = layer.axis === 1 ? [shape[0]!, 1] : [shape[1]!, sizeOf(shape.slice(2))];
  const outputsPerGroup = outputs / (means.length / perGroup);
  exact.forEach((w, at) => {
    const o = layer.axis === 1 ? at % outputs : Math.floor(at / (perGroup * taps));
    const i = layer.axis === 1 ? Math.floor(at / outputs) : Math.floor(at / taps) % perGroup;
    const rounded = weight.values.data[at]! * weight.scales[o]!;
    correction[o]! -= (rounded - w) * means[Math.floor(o / outputsPerGroup) * perGroup + i]!;
  });
  return correction;
}

/** The corrections of all layers, given the scale of each layer's input. */
export function correctBiases(
  layers: readonly Layer[],
  scaleOfInput: (layer: Layer) => Scale,
  levels: number,
  means: ReadonlyMap<string, Float64Array>,
): Map<Node, Float64Array> {
  return new Map(
    layers.map((layer) => [
      layer.node,
      biasCorrection(layer, scaleOfInput(layer), levels, means.get(layer.node.inputs[0]!)!),
    ]),
  );
}
