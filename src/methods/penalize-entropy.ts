/**
 * Training against the coded size: each weight is a whole number of steps, w = s · round(φ / s), trained straight through the
 * rounding, and the loss has a term for the bits that those numbers take (scalable model compression by entropy-penalized
 * reparameterization: Oktay et al. 2020, arXiv:1906.06624; the idea of a length to be minimized is Hinton, van Camp 1993).
 *
 * The price is that of the code an adaptive coder would settle on, a flag for zero, a sign and a geometric rest, with its two
 * parameters taken from the layer itself: with u = φ / s, presence m = 1 - 2^(-4u²) (one half at u = 1/2, flat at 0 and beyond
 * 1), density ρ = mean m, and mean rest e = Σ m·max(|u| - 1, 0) / Σ m,
 *   bits = n·H(ρ) + Σ m · (1 + (1 + e)·log₂(1 + e) - e·log₂ e).
 * The rarer a layer's weights, the dearer each: most go to zero, the others to few values.
 */
import { z } from "zod";
import type { LossTerm } from "../autodiff/training-step.ts";
import { float } from "../graph/attributes.ts";
import { GraphEdit } from "../graph/edit.ts";
import type { Graph } from "../graph/graph.ts";
import { findParameters } from "../ops/parameters.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { simplify } from "../passes/index.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { layerMatcher, layerName } from "./_layer-names.ts";
import { defineMethod } from "./define-method.ts";

const params = z.object({
  rate: z.number().min(0).default(0.1).describe("loss that one bit a weight costs, the mean over all weights"),
  step: z.number().positive().default(1).describe("distance of the values that a layer's weights may take, in their standard deviations"),
  keepFloat: z
    .array(z.string())
    .default([])
    .describe("layers whose weights stay as they are: names, or regular expressions that match whole names"),
});

/** Operators whose weights and biases are coded. */
const layers = new Set(["Conv", "Gemm", "MatMul", "ConvTranspose"]);

export const penalizeEntropy = defineMethod({
  name: "penalize-entropy",
  summary: "train weights to take few bits in the coded file",
  paper: "Oktay, Ballé, Singh, Shrivastava, Scalable Model Compression by Entropy Penalized Reparameterization, 2020, arXiv:1906.06624",
  params,
  examples: ["lenet-5.onnx --data mnist:DIR --rate 0.1 --optimizer adam --lr 0.001 --epochs 20 --out small.onnx"],
  requires: () => [],
  async apply(graph, { rate, step, keepFloat }) {
    const plain = simplify(graph).graph;
    const keep = layerMatcher(plain, "keepFloat", keepFloat);
    const edit = new GraphEdit(plain);
    const latents: Latent[] = [];
    const skipped: { node: string; reason: string }[] = [];
    for (const [name, reader] of findParameters(plain)) {
      const tensor = plain.initializers.get(name)!;
      if (!layers.has(reader.op) || tensor.dtype !== "float32") continue;
      if (keep(reader)) skipped.push({ node: layerName(reader), reason: "keepFloat names it" });
      else latents.push({ name, rounded: roundThrough(edit, name, step * spread(toNumbers(tensor))), size: tensor.data.length });
    }
    const count = latents.reduce((sum, { size }) => sum + size, 0);
    return {
      graph: edit.apply(),
      changes: [`${count} weights of ${latents.length} tensors become whole numbers of steps; each bit a weight costs ${rate} of loss`],
      skipped,
      recipe: { terms: rate > 0 && count > 0 ? [priceOf(latents, rate / count)] : [] },
    };
  },
});

/** A trained tensor and the value that holds it in steps. */
interface Latent {
  readonly name: string;
  readonly rounded: string;
  readonly size: number;
}

/** Root mean square; 1 for a tensor of zeros. */
function spread(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum / values.length) || 1;
}
