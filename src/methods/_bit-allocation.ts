/**
 * Bits for each layer under a mean: with n_l weights and a cost c_l(b) of layer l's codebook of 2^b values,
 * `min Σ c_l(b_l)` where `Σ n_l·b_l ≤ B·Σ n_l`, by steps along the layers' lower hulls.
 *
 * Without images c_l is the squared error relative to the layer's energy, `e² = ‖W - Ŵ‖² / ‖W‖²`: every layer's noise counts as a share of
 * its signal (Lin, Talathi, Annapureddy 2016, arXiv:1511.06393). With images it is what layer l alone, so coded, does to the network's
 * output, `Σ(ŷ - y)² / Σy²`, measured at each of few bits: noise of 1 or 2 bits is far more than that of 3 scaled up.
 */
import { GraphEdit } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { type Choice, cheapestSteps } from "../math/cheapest-steps.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Codebook } from "./_codebook.ts";
import type { LayerWeight } from "./_layer-weights.ts";
import { rankBySensitivity } from "./_sensitivity.ts";
import type { MethodContext, Samples } from "./define-method.ts";

/** The codebook of a weight, by its place, of 2^bits values; undefined where the weight has no more elements. */
export type FindCodebook = (place: number, bits: number) => Codebook | undefined;

const mostBits = 8;
/** From here on a further bit halves the distances of values: e² is taken to be a quarter (Panter, Dite 1951). */
const triedBits = 5;
/** Bits up to which layers are tried in the network, and on how many images. */
const measuredBits = 4;
const probeImages = 128;

/** The bits of each weight; 1 for one that is too small for a codebook. */
export async function allotBits(
  graph: Graph,
  weights: readonly LayerWeight[],
  meanBits: number,
  find: FindCodebook,
  context: Pick<MethodContext, "samples" | "progress">,
): Promise<number[]> {
  const errors = weights.map((weight, place) => {
    context.progress(place, weights.length, "trying codebooks");
    return listErrors(weight, place, find);
  });
  const { samples, progress } = context;
  const costs = samples ? await measureNoise(graph, weights, errors, find, samples, progress) : errors;
  const sizes = weights.map(({ tensor }, place) => (errors[place]!.length > 0 ? tensor.data.length : 0));
  const curves = costs.map((found, place) => curveOf(found, sizes[place]!));
  const total = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const most = total(sizes.map((size, place) => size * errors[place]!.length));
  const wanted = most - meanBits * total(sizes);
  // Of few layers the last step may save far too much; bits alike never do.
  const alike = errors.map((found) => Math.max(0, found.length - Math.floor(meanBits)));
  const [first, second] = [saveBySteps(curves, wanted), alike].map((start) => spendExcess(curves, start, wanted));
  const saved = costOf(curves, first!) <= costOf(curves, second!) ? first! : second!;
  return errors.map((found, place) => Math.max(1, found.length - saved[place]!));
}

/** e² of 1, 2, … bits, as far as the weight's elements are more than the values. */
function listErrors({ tensor }: LayerWeight, place: number, find: FindCodebook): number[] {
  const errors: number[] = [];
  for (let bits = 1; bits <= mostBits && tensor.data.length > 2 ** bits; bits++)
    errors.push(bits > triedBits ? errors.at(-1)! / 4 : find(place, bits)!.error ** 2);
  return errors;
}

/** What a layer costs by the bits that are saved, from none to all but one. */
function curveOf(costs: readonly number[], size: number): Choice[] {
  return costs.toReversed().map((cost, saved) => ({ amount: saved * size, cost }));
}

/** What is saved on each curve: `wanted` in all, or more, by the cheapest steps. */
function saveBySteps(curves: readonly (readonly Choice[])[], wanted: number): number[] {
  const places = curves.map(() => 0);
  let left = wanted;
  for (const { curve, to, amount } of cheapestSteps(curves)) {
    if (left <= 0) break;
    places[curve] = to;
    left -= amount;
  }
  return places;
}

const amountOf = (curves: readonly (readonly Choice[])[], places: readonly number[]) =>
  places.reduce((sum, place, curve) => sum + (curves[curve]![place]?.amount ?? 0), 0);
const costOf = (curves: readonly (readonly Choice[])[], places: readonly number[]) =>
  places.reduce((sum, place, curve) => sum + (curves[curve]![place]?.cost ?? 0), 0);

/** Spends what is saved beyond `wanted` bit by bit, where it helps most. */
function spendExcess(curves: readonly (readonly Choice[])[], start: readonly number[], wanted: number): number[] {
  const places = [...start];
  for (;;) {
    const excess = amountOf(curves, places) - wanted;
    const gains = curves.map((choices, curve) => {
      const [now, better] = [choices[places[curve]!], choices[places[curve]! - 1]];
      if (now === undefined || better === undefined || now.amount - better.amount > excess) return 0;
      return (now.cost - better.cost) / (now.amount - better.amount);
    });
    const best = Math.max(0, ...gains);
    if (best === 0) return places;
    places[gains.indexOf(best)]! -= 1;
  }
}

/**
 * What each layer's noise does to the network's output, of 1, 2, … bits: measured up to `measuredBits`, and from there on as e² falls.
 */
async function measureNoise(
  graph: Graph,
  weights: readonly LayerWeight[],
  errors: readonly (readonly number[])[],
  find: FindCodebook,
  samples: Samples,
  progress: MethodContext["progress"],
): Promise<number[][]> {
  const noise = weights.map((): number[] => []);
  const places = new Map(weights.map((weight, place) => [weight.layers[0]!, place]));
  for (let bits = 1; bits <= measuredBits; bits++) {
    const tried = [...places].flatMap(([layer, place]) => (errors[place]!.length >= bits ? [layer] : []));
    const alone = async (layer: Node) =>
      withCodebook(graph, weights[places.get(layer)!]!, find(places.get(layer)!, bits)!);
    const before = (bits - 1) * tried.length;
    const ranked = await rankBySensitivity(graph, tried, alone, samples, probeImages, (done) =>
      progress(before + done, measuredBits * tried.length, "measuring the sensitivity of layers"),
    );
    for (const entry of ranked) noise[places.get(entry.node)!]!.push(entry.noise);
  }
  return errors.map((found, place) =>
    found.map((error, i) => noise[place]![i] ?? (noise[place]!.at(-1)! * error) / (found[measuredBits - 1]! || 1)),
  );
}

function withCodebook(graph: Graph, { name, tensor: { shape } }: LayerWeight, { values, indices }: Codebook): Graph {
  const edit = new GraphEdit(graph);
  const shared = Float32Array.from(indices, (index) => values[index]!);
  edit.setInitializer(name, tensor("float32", shape, shared));
  return edit.apply();
}
