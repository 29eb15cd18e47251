/**
 * Optimizers as nodes: each takes a parameter and its gradient and appends the parameter's next value.
 *
 * SGD      `v' = μ·v + g + λ·w`, `w' = w - η·v'`, in Nesterov's form `w' = w - η·(g + λ·w + μ·v')`
 *          (Sutskever et al. 2013)
 * Adam     `m' = β₁m + (1-β₁)g`, `s' = β₂s + (1-β₂)g²`, `w' = w - η·m̂/(√ŝ + ε)` (Kingma, Ba 2015, arXiv:1412.6980)
 * AdamW    the same with `w' -= η·λ·w` beside it (Loshchilov, Hutter 2019, arXiv:1711.05101)
 * Muon     kernels of convolutions by SGD's velocity, orthogonalized; the others by AdamW (Jordan et al. 2024)
 * clipping `g ← g · c / max(c, ‖g‖)` by the norm over all parameters (Pascanu et al. 2013, arXiv:1211.5063)
 * average  `a' = d·a + (1-d)·w'` of what is carried, beside the training (Polyak, Juditsky 1992)
 */
import { int } from "../graph/attributes.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Tensor, tensor, tensorOf } from "../tensor/tensor.ts";
import { orthogonalize } from "./_orthogonalize.ts";

export interface OptimizerOptions {
  readonly optimizer: "sgd" | "adam" | "adamw" | "muon";
  readonly momentum: number;
  readonly nesterov: boolean;
  /** On parameters of rank 2 and more. */
  readonly weightDecay: number;
  /** `PREFIX=DECAY` each: weight decay of the parameters whose names begin so; the longest prefix counts. */
  readonly decay?: readonly string[];
  /** Largest norm of the gradient over all parameters; 0 or absent: no clipping. */
  readonly clip?: number;
}

/** A value carried from step to step: its first content and the name of what it becomes. */
export interface State {
  readonly initial: Tensor;
  readonly next: string;
}

const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * Appends one update of every parameter.
 * `lr` is a scalar input.
 * @returns the state by input name: the parameters themselves and what the optimizer keeps.
 * @throws NetpareError `bad-option` where a rule of weight decay fits no parameter.
 */
export function appendOptimizer(
  g: TypedBuilder,
  lr: string,
  gradients: ReadonlyMap<string, string>,
  initial: ReadonlyMap<string, Tensor>,
  options: OptimizerOptions,
): Map<string, State> {
  const states = new Map<string, State>();
  const keep = (name: string, first: Tensor, next: (previous: string) => string): string => {
    const following = next(g.input(name, first.dtype, first.shape));
    states.set(name, { initial: first, next: following });
    return following;
  };
  const step = { sgd: () => sgdStep, adam: adamStep, adamw: adamStep, muon: muonStep }[options.optimizer](g, keep);
  const decays = weightDecays(initial, options);
  for (const [name, gradient] of clipGradients(g, gradients, options.clip ?? 0)) {
    const first = initial.get(name)!;
    const zeros = tensor("float32", first.shape);
    const change = step({ g, name, gradient, lr, decay: decays.get(name)!, zeros, keep, options });
    states.set(name, { initial: first, next: g.sub(name, change) });
  }
  return states;
}

/** The weight decay of each parameter. */
function weightDecays(
  parameters: ReadonlyMap<string, Tensor>,
  { weightDecay, decay = [] }: OptimizerOptions,
): Map<string, number> {
  const rules = decay.map((rule) => {
    const [, prefix = "", value = ""] = /^(.*)=(.*)$/.exec(rule) ?? [];
    if (![...parameters.keys()].some((name) => name.startsWith(prefix)))
      throw new NetpareError(
        "bad-option",
        `weight decay '${rule}': no parameter begins with '${prefix}', the first are ${[...parameters.keys()].slice(0, 4).join(", ")}`,
      );
    return { prefix, value: Number(value) };
  });
  rules.sort((a, b) => b.prefix.length - a.prefix.length);
  return new Map(
    [...parameters].map(([name, { shape }]) => {
      const rule = rules.find(({ prefix }) => name.startsWith(prefix));
      return [name, rule?.value ?? (shape.length >= 2 ? weightDecay : 0)];
    }),
  );
}

function clipGradients(
  g: TypedBuilder,
  gradients: ReadonlyMap<string, string>,
  clip: number,
): ReadonlyMap<string, string> {
  if (clip === 0) return gradients;
  const squares = [...gradients.values()].map((x) => g.op("ReduceSumSquare", [x], { keepdims: int(0) }));
  const norm = g.op("Sqrt", [squares.reduce((a, b) => g.add(a, b))]);
  const factor = g.div(g.scalar(clip, norm), g.op("Max", [norm, g.scalar(clip, norm)]));
  return new Map([...gradients].map(([name, gradient]) => [name, g.mul(gradient, factor)]));
}

/** Names the average of a state. */
export const averageName = (state: string) => `average/${state}`;

/** Appends the moving average of each of `names` among `states`, with the scalar `decay`; it begins at the state's first content. */
export function appendAverages(
  g: TypedBuilder,
  decay: string,
  states: ReadonlyMap<string, State>,
  names: readonly string[],
): Map<string, State> {
  const rest = g.sub(g.scalar(1, decay), decay);
  return new Map(
    names.map((name) => {
      const { initial, next } = states.get(name)!;
      const before = g.input(averageName(name), initial.dtype, initial.shape);
      return [before, { initial, next: g.add(g.mul(before, decay), g.mul(next, rest)) }];
    }),
  );
}

interface Update {
  readonly g: TypedBuilder;
  readonly name: string;
  readonly gradient: string;
  readonly lr: string;
  readonly decay: number;
  readonly zeros: Tensor;
  readonly keep: (name: string, first: Tensor, next: (previous: string) => string) => string;
  readonly options: OptimizerOptions;
}

function sgdStep({ g, name, gradient, lr, decay, zeros, keep, options }: Update): string {
  const slope = decay > 0 ? g.add(gradient, g.scale(name, decay)) : gradient;
  return g.mul(withMomentum({ g, name, zeros, keep, options }, slope), lr);
}

function withMomentum(
  { g, name, zeros, keep, options: { momentum, nesterov } }: Pick<Update, "g" | "name" | "zeros" | "keep" | "options">,
  slope: string,
): string {
  if (momentum === 0) return slope;
  const velocity = keep(`${name}/velocity`, zeros, (v) => g.add(g.scale(v, momentum), slope));
  return nesterov ? g.add(slope, g.scale(velocity, momentum)) : velocity;
}

/**
 * Kernels, as matrices `(R, C) = (O, I·KH·KW)`: `w' = w - η·(0.2·√max(R, C)·orthogonalize(v') + λ·w)`. By this scale they take the
 * learning rates and weight decays of AdamW (Liu et al. 2025, arXiv:2502.16982).
 */
function muonStep(g: TypedBuilder, keep: Update["keep"]) {
  const adamw = adamStep(g, keep);
  return (update: Update): string => {
    const { name, gradient, lr, decay, zeros } = update;
    if (zeros.shape.length !== 4) return adamw(update);
    const [rows, ...others] = zeros.shape as [number, ...number[]];
    const columns = others.reduce((product, extent) => product * extent);
    const matrix = g.reshape(withMomentum(update, gradient), [rows, columns]);
    const direction = g.reshape(orthogonalize(g, matrix), zeros.shape);
    const scaled = g.scale(direction, 0.2 * Math.sqrt(Math.max(rows, columns)));
    return g.mul(decay > 0 ? g.add(scaled, g.scale(name, decay)) : scaled, lr);
  };
}

function adamStep(g: TypedBuilder, keep: Update["keep"]) {
  let corrections: readonly [string, string] | undefined;
  const correct = (beta1: number) => {
    const power = (name: string, beta: number) =>
      keep(`adam/${name}`, tensorOf("float32", [], [1]), (p) => g.scale(p, beta));
    const rest = (p: string) => g.sub(g.scalar(1, p), p);
    corrections ??= [rest(power("beta1-power", beta1)), rest(power("beta2-power", beta2))];
    return corrections;
  };
  return ({ name, gradient, lr, decay, zeros, options }: Update): string => {
    const beta1 = options.momentum;
    const slope = options.optimizer === "adam" && decay > 0 ? g.add(gradient, g.scale(name, decay)) : gradient;
    const mean = keep(`${name}/mean`, zeros, (m) => g.add(g.scale(m, beta1), g.scale(slope, 1 - beta1)));
    const square = keep(`${name}/square`, zeros, (s) =>
      g.add(g.scale(s, beta2), g.scale(g.mul(slope, slope), 1 - beta2)),
    );
    const [rest1, rest2] = correct(beta1);
    const root = g.add(g.op("Sqrt", [g.div(square, rest2)]), g.scalar(epsilon, square));
    const direction = g.div(g.div(mean, rest1), root);
    const withDecay = options.optimizer !== "adam" && decay > 0 ? g.add(direction, g.scale(name, decay)) : direction;
    return g.mul(withDecay, lr);
  };
}
