/**
 * BatchNormalization: `y = γ·x̂ + β`, `x̂ = (x − μ)/σ`, `σ = √(v + ε)` per channel (Ioffe, Szegedy 2015, arXiv:1502.03167).
 * μ and v are given in inference and those of the batch in training mode, where the running ones come out as well.
 * Gradient: `β̄ = Σ ȳ`, `γ̄ = Σ ȳ·x̂ = (Σ ȳ·x − μ·β̄)/σ`, and `x̄ = (γ/σ)·ȳ`, to which training mode adds
 * `−(γ/σ)·(β̄ + γ̄·x̂)/n` for the n elements of a channel: itself a BatchNormalization of x with chosen scale and bias.
 */
import { float, int } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { perChannel, sumPerChannel } from "./_channel-sum.ts";
import { slice } from "./_spatial.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp, type VjpCall } from "./define-op.ts";
import { fact } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

const inputs = ["X", "scale", "B", "input_mean", "input_var"] as const;
const attributes = { epsilon: attr.float(1e-5), momentum: attr.float(0.9), training_mode: attr.int(0) };
type Gradient = VjpCall<typeof attributes, typeof inputs>;

export const batchNormalization = defineOp("BatchNormalization", {
  inputs,
  attributes,
  weights: [1, 2],
  tolerance: 2e-5,
  infer({ I: [x, ...vectors] }) {
    const channels = x.shape[1];
    vectors.forEach(({ shape }, i) => {
      if (typeof channels === "number" && typeof shape[0] === "number" && shape[0] !== channels)
        throw new NetpareError("bad-shape", `input has ${channels} channels, its ${inputs[i + 1]} has ${shape[0]}`);
    });
    return [x, vectors[2], vectors[3]].map((t) => fact(t.dtype, t.shape));
  },
  channels: {
    link({ I: [x, ...vectors], O }, links) {
      x.shape.forEach((_, axis) => {
        links.tie(inputAxis(0, axis), outputAxis(0, axis));
      });
      vectors.forEach((_, i) => {
        links.tie(inputAxis(i + 1, 0), inputAxis(0, 1));
      });
      for (const i of [1, 2]) if (O[i] !== undefined) links.tie(outputAxis(i, 0), inputAxis(0, 1));
    },
  },
  vjp(g, call) {
    const { a, I, GO } = call;
    const [x, scale, , mean, variance] = I;
    const [gy, gMean, gVariance] = GO;
    const [mu, v] = a.training_mode ? batchStatistics(g, call) : [mean, variance];
    const inverse = g.op("Reciprocal", [g.op("Sqrt", [g.add(v, g.scalar(a.epsilon, v))])]);
    const gBias = sumPerChannel(g, gy);
    const gScale = g.mul(g.sub(sumPerChannel(g, g.mul(gy, x)), g.mul(mu, gBias)), inverse);
    const slope = g.mul(scale, inverse);
    const direct = g.mul(gy, perChannel(g, slope, g.shape(x).length));
    if (!a.training_mode) {
      const gMu = g.neg(g.mul(slope, gBias));
      const gV = g.scale(g.mul(g.mul(slope, inverse), gScale), -0.5);
      return [direct, gScale, gBias, gMu, gV];
    }
    const n = sizeOf(g.shape(x)) / g.shape(scale)[0]!;
    const share = g.scale(slope, -1 / n);
    let [onNormalized, constant] = [g.mul(share, gScale), g.mul(share, gBias)];
    const fresh = 1 - a.momentum;
    if (gMean !== undefined) constant = g.add(constant, g.scale(gMean, fresh / n));
    if (gVariance !== undefined)
      onNormalized = g.add(onNormalized, g.scale(g.div(gVariance, inverse), (2 * fresh) / n));
    const epsilon = float(a.epsilon);
    const throughStatistics = g.op("BatchNormalization", [x, onNormalized, constant, mu, v], { epsilon });
    return [
      g.add(direct, throughStatistics),
      gScale,
      gBias,
      gMean === undefined ? null : g.scale(gMean, a.momentum),
      gVariance === undefined ? null : g.scale(gVariance, a.momentum),
    ];
  },
  evaluate({ a, I: [x, scale, bias, mean, variance] }) {
    const [gamma, beta, oldMean, oldVariance] = [scale, bias, mean, variance].map(toNumbers);
    const values = toNumbers(x);
    const channels = scale.shape[0]!;
    const plane = sizeOf(x.shape.slice(2));
    const channelOf = (i: number) => Math.floor(i / plane) % channels;
    const [mu, v] = a.training_mode ? moments(values, channels, channelOf) : [oldMean!, oldVariance!];
    const y = values.map((value, i) => {
      const c = channelOf(i);
      return (gamma![c]! * (value - mu[c]!)) / Math.sqrt(v[c]! + a.epsilon) + beta![c]!;
    });
    const blend = (old: Tensor, now: Float64Array) =>
      tensorOf(
        old.dtype,
        old.shape,
        toNumbers(old).map((o, c) => o * a.momentum + now[c]! * (1 - a.momentum)),
      );
    const normalized = tensorOf(x.dtype, x.shape, y);
    return a.training_mode ? [normalized, blend(mean, mu), blend(variance, v)] : [normalized];
  },
});

/** Mean and variance of the batch: the node's own outputs where momentum 0 makes them that, else computed again. */
function batchStatistics(g: TypedBuilder, { a, I: [x], O }: Gradient): [string, string] {
  if (a.momentum === 0 && O[1] && O[2]) return [O[1], O[2]];
  const shape = g.shape(x);
  const perElement = shape[1]! / sizeOf(shape);
  const mean = g.scale(sumPerChannel(g, x), perElement);
  const centred = g.sub(x, perChannel(g, mean, shape.length));
  return [mean, g.scale(sumPerChannel(g, g.mul(centred, centred)), perElement)];
}

function moments(values: Float64Array, channels: number, channelOf: (i: number) => number) {
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  const share = channels / values.length;
  values.forEach((value, i) => {
    mean[channelOf(i)]! += value * share;
  });
  values.forEach((value, i) => {
    variance[channelOf(i)]! += (value - mean[channelOf(i)]!) ** 2 * share;
  });
  return [mean, variance] as const;
}

/**
 * Appends an inference-mode `node` as one in training mode, under the same output name, and returns the batch's mean and
 * variance `(C)`. It does not read the node's running statistics: with momentum 0 nothing of them would remain, and
 * onnxruntime overwrites these two inputs in place. It gets two private vectors instead, cut from x so that they can
 * neither be folded into constants nor be merged with each other.
 */
export function trainingBatchNormalization(g: TypedBuilder, node: Node): { mean: string; variance: string } {
  const [x, scale, bias] = node.inputs as [string, string, string];
  const others = g.shape(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const corner = slice(
    g,
    x,
    others.map(() => 0),
    others.map(() => 1),
    others,
  );
  const scratch = ["Abs", "Neg"].map((op) => g.reshape(g.op(op, [corner]), g.shape(scale)));
  const [, mean, variance] = g.node(
    "BatchNormalization",
    [x, scale, bias, ...scratch],
    3,
    { ...node.attributes, momentum: float(0), training_mode: int(1) },
    { name: node.name, outputs: [node.outputs[0]!, `${node.name}/mean`, `${node.name}/variance`] },
  ) as [string, string, string];
  return { mean, variance };
}
