/**
 * Optimizers as nodes: each takes a parameter and its gradient and appends the parameter's next value.
 *
 * SGD      `v' = μ·v + g + λ·w`, `w' = w - η·v'`, in Nesterov's form `w' = w - η·(g + λ·w + μ·v')`
 *          (Sutskever et al. 2013)
 * Adam     `m' = β₁m + (1-β₁)g`, `s' = β₂s + (1-β₂)g²`, `w' = w - η·m̂/(√ŝ + ε)` (Kingma, Ba 2015, arXiv:1412.6980)
 * AdamW    the same with `w' -= η·λ·w` beside it (Loshchilov, Hutter 2019, arXiv:1711.05101)
 */
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { type Tensor, tensor, tensorOf } from "../tensor/tensor.ts";

export interface OptimizerOptions {
  readonly optimizer: "sgd" | "adam" | "adamw";
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
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
 * `lr` is a scalar input. Weight decay falls on parameters of rank 2 and more.
 * @returns the state by input name: the parameters themselves and what the optimizer keeps.
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
  const step = options.optimizer === "sgd" ? sgdStep : adamStep(g, keep);
  for (const [name, gradient] of gradients) {
    const first = initial.get(name)!;
    const decayed = first.shape.length >= 2 ? options.weightDecay : 0;
    const zeros = tensor("float32", first.shape);
    const change = step({ g, name, gradient, lr, decay: decayed, zeros, keep, options });
    states.set(name, { initial: first, next: g.sub(name, change) });
  }
  return states;
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
  const { momentum, nesterov } = options;
  const slope = decay > 0 ? g.add(gradient, g.scale(name, decay)) : gradient;
  if (momentum === 0) return g.mul(slope, lr);
  const velocity = keep(`${name}/velocity`, zeros, (v) => g.add(g.scale(v, momentum), slope));
  return g.mul(nesterov ? g.add(slope, g.scale(velocity, momentum)) : velocity, lr);
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
    const withDecay = options.optimizer === "adamw" && decay > 0 ? g.add(direction, g.scale(name, decay)) : direction;
    return g.mul(withDecay, lr);
  };
}
