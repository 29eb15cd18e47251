/**
 * How much each layer bears: it is pruned alone to several densities, and the accuracy that goes is measured (Han et al. 2015,
 * arXiv:1506.02626, figure 6). Layers then share out what is to go so that the summed loss of accuracy is least. Images are few and
 * accuracy comes in steps: a share of the layer's energy `Σ w²` counts as up to half an image more, which decides between equals.
 */
import { GraphEdit } from "../graph/edit.ts";
import type { Graph } from "../graph/graph.ts";
import { type Choice, cheapestSteps } from "../math/cheapest-steps.ts";
import { tensor } from "../tensor/tensor.ts";
import type { LayerWeight } from "./_layer-weights.ts";
import { countZeros, smallest } from "./_smallest-weights.ts";
import type { MethodContext, Samples } from "./define-method.ts";

/** How many densities a layer is tried at. */
const densities = 8;

/** For each weight how many elements go (`amount`) at which loss of accuracy, from what is zero already; `density` is the whole's. */
export async function measureSensitivity(
  graph: Graph,
  weights: readonly LayerWeight[],
  density: number,
  { samples, limit, progress }: { readonly samples: Samples; readonly limit: number } & Pick<MethodContext, "progress">,
): Promise<Choice[][]> {
  const images = Math.min(limit, samples.count);
  const before = await samples.accuracy(graph, images);
  const least = Math.min(0.05, density / 4);
  const curves: Choice[][] = [];
  for (const [i, weight] of weights.entries()) {
    const { length } = weight.tensor.data;
    const energy = energyOf(weight.tensor.data);
    const curve: Choice[] = [{ amount: countZeros(weight), cost: 0 }];
    let lost = 0;
    for (let k = 1; k <= densities; k++) {
      progress(i * densities + k - 1, weights.length * densities, "measuring how much layers bear");
      const amount = length - Math.ceil(length * least ** (k / densities));
      if (amount <= curve.at(-1)!.amount) continue;
      const [removed] = smallest([weight], amount).removed;
      const values = weight.tensor.data.map((value, at) => (removed![at] ? 0 : value));
      const edit = new GraphEdit(graph);
      edit.setInitializer(weight.name, tensor("float32", weight.tensor.shape, values));
      lost = Math.max(lost, before - (await samples.accuracy(edit.apply(), images)));
      const cost = lost + ((1 - energyOf(values) / energy) * 0.5) / images;
      curve.push({ amount, cost });
    }
    curves.push(curve);
  }
  return curves;
}

/** How many elements of each weight go, so that `wanted` go in all, at the least summed cost. */
export function shareOut(curves: readonly (readonly Choice[])[], wanted: number): number[] {
  const counts = curves.map((curve) => curve[0]!.amount);
  let left = wanted - counts.reduce((a, b) => a + b, 0);
  for (const { curve, amount } of cheapestSteps(curves)) {
    if (left <= 0) break;
    const taken = Math.min(amount, left);
    counts[curve]! += taken;
    left -= taken;
  }
  return counts;
}

const energyOf = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0) || 1;
