/**
 * Bits for each layer under a mean: with e²_l(b) the squared error of layer l's codebook of 2^b values, relative to its energy, and n_l
 * its weights, `min Σ c_l·e²_l(b_l)` where `Σ n_l·b_l ≤ B·Σ n_l`, by steps along the layers' lower hulls.
 *
 * c_l is 1 without images: every layer's noise counts as a share of its signal (Lin, Talathi, Annapureddy 2016, arXiv:1511.06393). With
 * images it is what the noise does to the network's output, `Σ(ŷ - y)² / Σy²` with layer l alone at 3 bits, over e²_l(3).
 */
import { GraphEdit } from "../graph/edit.ts";
import type { Graph } from "../graph/graph.ts";
import { type Choice, cheapestSteps } from "../math/cheapest-steps.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Codebook } from "./_codebook.ts";
import type { LayerWeight } from "./_layer-weights.ts";
import { rankBySensitivity } from "./_sensitivity.ts";
import type { MethodContext } from "./define-method.ts";

/** The codebook of a weight, by its place, of 2^bits values; undefined where the weight has no more elements. */
export type FindCodebook = (place: number, bits: number) => Codebook | undefined;

const mostBits = 8;
/** From here on a further bit halves the distances of values: e² is taken to be a quarter (Panter, Dite 1951). */
const triedBits = 5;
/** Bits at which a layer is tried, and how many images it is tried on. */
const probeBits = 3;
const probeImages = 256;

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
  const importance = await weigh(graph, weights, find, context);
  const sizes = weights.map(({ tensor }, place) => (errors[place]!.length > 0 ? tensor.data.length : 0));
  const curves = errors.map((found, place) => curveOf(found, sizes[place]!, importance[place]!));
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

/** What a layer's noise costs by the bits that are saved, from none to all but one. */
function curveOf(errors: readonly number[], size: number, importance: number): Choice[] {
  return errors.toReversed().map((error, saved) => ({ amount: saved * size, cost: importance * error }));
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

/** How much the network's output minds each weight's noise, the same for all where there are no images. */
async function weigh(
  graph: Graph,
  weights: readonly LayerWeight[],
  find: FindCodebook,
  { samples, progress }: Pick<MethodContext, "samples" | "progress">,
): Promise<number[]> {
  if (samples === undefined) return weights.map(() => 1);
  const probes = new Map(weights.map((weight, place) => [weight.layers[0]!, { weight, found: probe(place, find) }]));
  const tried = [...probes].filter(([, { found }]) => found !== undefined && found.error > 0).map(([layer]) => layer);
  const alone = async (layer: (typeof tried)[number]) => {
    const { weight, found } = probes.get(layer)!;
    const edit = new GraphEdit(graph);
    const values = Float32Array.from(found!.indices, (index) => found!.values[index]!);
    edit.setInitializer(weight.name, tensor("float32", weight.tensor.shape, values));
    return edit.apply();
  };
  const ranked = await rankBySensitivity(graph, tried, alone, samples, probeImages, (done) =>
    progress(done, tried.length, "measuring the sensitivity of layers"),
  );
  const noise = new Map(ranked.map((entry) => [entry.node, entry.noise]));
  return [...probes].map(([layer, { found }]) => (noise.has(layer) ? noise.get(layer)! / found!.error ** 2 : 0));
}

/** The codebook of `probeBits`, or of fewer where the weight is small. */
function probe(place: number, find: FindCodebook): Codebook | undefined {
  for (let bits = probeBits; bits > 0; bits--) {
    const found = find(place, bits);
    if (found !== undefined) return found;
  }
  return undefined;
}
