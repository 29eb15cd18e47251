/**
 * Training against the coded size: each weight is a whole number of steps, w = s · round(φ / s), trained straight through the
 * rounding, and the loss has a term for the bits that those numbers take (Oktay et al. 2020, arXiv:1906.06624; the idea of a length to
 * be minimized is Hinton, van Camp 1993).
 * The price is that of the code an adaptive coder would settle on, a flag for zero, a sign and a geometric rest, with its two
 * parameters taken from the layer itself: with u = φ / s, presence m = 1 - 2^(-4u²) (one half at u = 1/2, flat at 0 and beyond
 * 1), density ρ = mean m, and mean rest e = Σ m·max(|u| - 1, 0) / Σ m,
 *   bits = n·H(ρ) + Σ m · (1 + (1 + e)·log₂(1 + e) - e·log₂ e).
 * The rarer a layer's weights, the dearer each: most go to zero, the others to few values.
 * Steps are powers of two, so that products with a batch norm's scales are exact: each row stays whole numbers times one scale.
 */
import { z } from "zod";
import type { LossTerm } from "../autodiff/training-step.ts";
import { type Attributes, float } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph } from "../graph/graph.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { foldBatchnorm, shippingPasses, simplify } from "../passes/index.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { layerMatcher } from "./_layer-names.ts";
import { findLayerWeights, type LayerWeight, readInstead } from "./_layer-weights.ts";
import { defineMethod } from "./define-method.ts";

const params = z.object({
  rate: z.number().min(0).default(0.1).describe("loss that one bit a weight costs, the mean over all weights"),
  step: z
    .number()
    .positive()
    .default(1)
    .describe(
      "distance of the values that a layer's weights may take, in their standard deviations, rounded to a power of two",
    ),
  keep: z
    .array(z.string())
    .default([])
    .describe("layers whose weights stay as they are: names, or regular expressions that match whole names"),
});

/** What makes plain weights of masks and codebooks. */
const settling = shippingPasses.filter((pass) => pass !== foldBatchnorm);

export const penalizeEntropy = defineMethod({
  name: "penalize-entropy",
  summary: "trains weights to take few bits in the coded file",
  paper:
    "Oktay, Ballé, Singh, Shrivastava, Scalable Model Compression by Entropy Penalized Reparameterization, 2020, arXiv:1906.06624",
  params,
  examples: [
    "lenet-5.onnx --data mnist:DIR --rate 0.1 --optimizer adam --lr 0.001 --weight-decay 0 --epochs 20 --out small.onnx",
  ],
  requires: () => [],
  async apply(original, { rate, step, keep: kept }) {
    const graph = simplify(original, settling).graph;
    const keep = layerMatcher(graph, "keep", kept);
    const { weights, skipped } = findLayerWeights(graph, keep);
    const edit = new GraphEdit(graph);
    const latents = [...weights.map((weight) => ({ ...weight, position: 1 })), ...findLayerBiases(graph, weights)].map(
      (stored) => addRounded(edit, stored, step),
    );
    const count = latents.reduce((sum, { size }) => sum + size, 0);
    if (count === 0) return { graph: original, changes: [], skipped };
    return {
      graph: edit.apply(),
      changes: [
        `${count} weights and biases are whole numbers of steps; each bit of them, on average, costs ${rate} of loss`,
      ],
      skipped,
      recipe: { terms: rate > 0 ? [priceOf(latents, rate / count)] : [] },
    };
  },
});

/** A trained tensor in steps. */
interface Latent {
  /** The value `φ / s`. */
  readonly name: string;
  readonly size: number;
}

/** A stored tensor and the layers that read it at `position`. */
interface Stored extends Pick<LayerWeight, "name" | "tensor" | "layers"> {
  readonly position: number;
}

/** The biases of layers whose weights are found, those that no two share. */
function findLayerBiases(graph: Graph, weights: readonly LayerWeight[]): Stored[] {
  const readers = consumers(graph);
  return weights.flatMap(({ layers }) =>
    layers.flatMap((layer) => {
      const name = layer.inputs[2] ?? "";
      const tensor = graph.initializers.get(name);
      if (tensor?.dtype !== "float32" || readers.get(name)?.length !== 1) return [];
      return [{ name, tensor: tensor as Tensor<"float32">, layers: [layer], position: 2 }];
    }),
  );
}

/** Biases are few, and what is added to every element of a map: their steps are finer. */
const biasStep = 0.25;

/** Lets layers read `s · round(φ / s)`; the steps are Constant nodes, which no training takes for parameters. */
function addRounded(edit: GraphEdit, { name, tensor, layers, position }: Stored, step: number): Latent {
  const wanted = step * spread(tensor.data) * (position === 2 ? biasStep : 1);
  const s = 2 ** Math.round(Math.log2(wanted));
  const add = (op: string, inputs: readonly string[], hint: string, attributes: Attributes = {}, domain = "") =>
    edit.op(op, inputs, `${name}/${hint}`, attributes, domain);
  const constant = (value: number, hint: string) => add("Constant", [], hint, { value_float: float(value) });
  const steps = add("Mul", [name, constant(1 / s, "per-step")], "steps");
  // Adding 0 makes +0 of -0, which would be a symbol of its own.
  const rounded = add("Add", [add("Round", [steps], "rounded"), constant(0, "zero")], "signless");
  const whole = add("StraightThrough", [steps, rounded], "whole", {}, "netpare");
  const weight = add("Mul", [whole, constant(s, "step")], "weight");
  readInstead(edit, layers, weight, position);
  return { name: steps, size: tensor.data.length };
}

/** Root mean square; 1 for zeros. */
function spread(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length) || 1;
}

/** The loss of all bits, `price` each. */
function priceOf(latents: readonly Latent[], price: number): LossTerm {
  return {
    name: "coded size",
    append: (g) =>
      g.scale(
        latents.map((latent) => appendBits(g, latent)).reduce((a, b) => g.add(a, b)),
        price,
      ),
  };
}

/** The bits of a tensor in steps, a scalar. */
function appendBits(g: TypedBuilder, { name: u, size }: Latent): string {
  const one = g.scalar(1, u);
  const total = (x: string) =>
    g.reduceSum(
      x,
      g.shape(u).map((_, axis) => axis),
      false,
    );
  const log2 = (x: string) => g.scale(g.op("Log", [x]), Math.LOG2E);
  const present = g.sub(one, g.op("Exp", [g.scale(g.mul(u, u), -4 * Math.LN2)]));
  const rest = g.op("Relu", [g.sub(g.op("Abs", [u]), one)]);
  // Half a weight more keeps the logarithms finite.
  const count = g.add(total(present), g.scalar(0.5, u));
  const density = g.scale(count, 1 / (size + 1));
  const zeros = g.sub(one, density);
  const flags = g.scale(g.add(g.mul(density, log2(density)), g.mul(zeros, log2(zeros))), -size);
  const mean = g.div(g.add(total(g.mul(present, rest)), g.scalar(0.01, u)), count);
  const more = g.add(one, mean);
  const geometric = g.sub(g.mul(more, log2(more)), g.mul(mean, log2(mean)));
  return g.add(flags, g.mul(count, g.add(one, geometric)));
}
