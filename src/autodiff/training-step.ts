/**
 * One training step as one graph: forward in training mode, losses, gradient, and the optimizer's update, in standard
 * inference operators. What is carried from step to step (parameters, running statistics, optimizer state) goes in as inputs
 * and comes out as outputs, so that a step is a pure function and a checkpoint is the list of states.
 *
 * Dropout draws its mask in the graph: `u_nf = frac(p_n · q_f)` with p drawn anew each step and q fixed, both far from
 * commensurable; element f of image n is dropped where `u < ratio`.
 */
import { type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import { trainingBatchNormalization } from "../ops/batch-normalization.ts";
import { findParameters } from "../ops/parameters.ts";
import { TypedBuilder } from "../ops/typed-builder.ts";
import { NetpareError } from "../tensor/error.ts";
import { createRandom } from "../tensor/random.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { appendCorrectCount, appendCrossEntropy, asClassScores, logitsOf } from "./losses.ts";
import { appendAverages, appendOptimizer, averageName, type OptimizerOptions, type State } from "./optimizers.ts";
import { appendGradient } from "./reverse.ts";

/** Values by which a loss term is written. */
export interface LossInputs {
  /** The network's input batch `(N, C, H, W)`. */
  readonly images: string;
  /** The network's output before Softmax `(N, classes)`. */
  readonly logits: string;
  /** One-hot or mixed labels `(N, classes)`. */
  readonly targets: string;
}

/** A term of the training loss; `append` emits its nodes and returns a scalar, already weighted. */
export interface LossTerm {
  readonly name: string;
  readonly append: (g: TypedBuilder, inputs: LossInputs) => string;
}

/** What a step minimizes: the cross-entropy on labels, weighted, and further terms. */
export interface Objective {
  readonly terms: readonly LossTerm[];
  /** Weight of the cross-entropy on labels; 1 where left out. */
  readonly labelWeight?: number;
  /** Initializers that stay as they are. */
  readonly frozen?: readonly string[];
}

export interface StepOptions {
  readonly batch: number;
  readonly classes: number;
  /** `(C, H, W)` of one image as the network reads it. */
  readonly imageShape: readonly [number, number, number];
  readonly optimizer: OptimizerOptions;
  /** Whether averages of what is trained are carried as well; their decay is fed as `stepNames.averageDecay`. */
  readonly average?: boolean;
  readonly objective: Objective;
}

/** Names of the step's own inputs and outputs. */
export const stepNames = {
  targets: "train/targets",
  lr: "train/lr",
  noise: "train/noise",
  averageDecay: "train/average-decay",
} as const;

/** A step's graph, what it carries, and the names of what it reports. */
export interface TrainingStep {
  readonly graph: Graph;
  readonly images: string;
  /** Whether the step reads `stepNames.noise`: one number in [100, 1100) an image. */
  readonly noisy: boolean;
  readonly states: ReadonlyMap<string, State>;
  /** The states that are initializers of the network. */
  readonly trained: readonly string[];
  /** For each of `trained` the state that holds what the network is to keep: itself, or its average. */
  readonly kept: ReadonlyMap<string, string>;
  /** The gradient of each trained parameter, in the parameters' order, as the reverse walk gives it. */
  readonly gradients: ReadonlyMap<string, string>;
  readonly loss: string;
  readonly correct: string;
}

const statisticsMomentum = 0.9;

/**
 * The training step of `graph` for a fixed batch.
 * @throws NetpareError where the graph and the data do not fit, or an operator has no gradient.
 */
export function buildTrainingStep(graph: Graph, options: StepOptions): TrainingStep {
  const g = new TypedBuilder(graph.name);
  const images = feedImages(g, graph, options);
  const frozen = new Set(options.objective.frozen);
  const initial = new Map<string, Tensor>();
  for (const name of findParameters(graph).keys()) {
    const parameter = graph.initializers.get(name)!;
    if (parameter.dtype === "float32" && !frozen.has(name)) initial.set(name, parameter);
  }
  if (initial.size === 0) throw new NetpareError("bad-model", "the model has no float32 parameter to train");
  const statistics = new Map<string, State>();
  const noise = { used: false };
  for (const [name, tensor] of graph.initializers)
    if (initial.has(name) || isStatistic(graph, name, frozen)) g.input(name, tensor.dtype, tensor.shape);
    else g.initializer(name, tensor);
  g.promise(graph.nodes.flatMap((node) => node.outputs));
  for (const node of graph.nodes) appendForward(g, graph, node, { options, statistics, noise, frozen });

  const targets = g.input(stepNames.targets, "float32", [options.batch, options.classes]);
  const logits = asClassScores(g, logitsOf(graph).name, options.classes);
  const { labelWeight = 1, terms } = options.objective;
  const parts = terms.map((term) => term.append(g, { images, logits, targets }));
  if (labelWeight > 0) parts.push(g.scale(appendCrossEntropy(g, logits, targets), labelWeight));
  const loss = parts.reduce((a, b) => g.add(a, b));
  const correct = appendCorrectCount(g, logits, targets);

  const gradients = appendGradient(g, loss, [...initial.keys()]);
  const lr = g.input(stepNames.lr, "float32", []);
  const optimized = appendOptimizer(g, lr, gradients, initial, options.optimizer);
  const carried = new Map([...optimized, ...statistics]);
  const trained = [...initial.keys(), ...statistics.keys()];
  const averages = options.average
    ? appendAverages(g, g.input(stepNames.averageDecay, "float32", []), carried, trained)
    : new Map<string, State>();
  const states = new Map([...carried, ...averages]);
  for (const name of [loss, correct, ...[...states.values()].map((state) => state.next)]) g.output(name);
  return {
    graph: removeDead(g.build()),
    images,
    noisy: noise.used,
    states,
    trained,
    kept: new Map(trained.map((name) => [name, options.average ? averageName(name) : name])),
    gradients,
    loss,
    correct,
  };
}

function feedImages(g: TypedBuilder, graph: Graph, { batch, imageShape }: StepOptions): string {
  const [input, ...others] = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  if (input === undefined || others.length > 0)
    throw new NetpareError(
      "bad-model",
      `a model with one input is needed for training, this one has ${others.length + (input ? 1 : 0)}`,
    );
  const declared = input.shape ?? [batch, ...imageShape];
  const fits =
    declared.length === 4 &&
    imageShape.every((dim, i) => typeof declared[i + 1] === "string" || declared[i + 1] === dim);
  const flat =
    declared.length === 2 &&
    (typeof declared[1] === "string" || declared[1] === imageShape[0] * imageShape[1] * imageShape[2]);
  if (!fits && !flat)
    throw new NetpareError(
      "bad-shape",
      `input '${input.name}' is [${declared}] and the data's images are [${imageShape}]`,
    );
  return g.input(input.name, input.dtype, [
    batch,
    ...(flat ? [imageShape[0] * imageShape[1] * imageShape[2]] : imageShape),
  ]);
}

/** Whether an initializer is a running statistic that the step carries as state instead. */
function isStatistic(graph: Graph, name: string, frozen: ReadonlySet<string>): boolean {
  const readers = graph.nodes.filter((node) => node.inputs.includes(name));
  return (
    readers.length > 0 &&
    readers.every((node) => isTrainedNormalization(node, frozen) && node.inputs.indexOf(name) >= 3)
  );
}

const isTrainedNormalization = (node: Node, frozen: ReadonlySet<string>) =>
  node.op === "BatchNormalization" && node.domain === "" && !frozen.has(node.inputs[3]!);

interface Forward {
  readonly options: StepOptions;
  readonly statistics: Map<string, State>;
  readonly noise: { used: boolean };
  readonly frozen: ReadonlySet<string>;
}

/** Appends a node of the network as it runs in training. */
function appendForward(g: TypedBuilder, graph: Graph, node: Node, forward: Forward): void {
  const { statistics, frozen } = forward;
  if (isTrainedNormalization(node, frozen)) {
    const { mean, variance } = trainingBatchNormalization(g, node);
    const blend = (name: string, batchValue: string) => {
      const first = graph.initializers.get(name);
      if (first === undefined)
        throw new NetpareError("bad-model", `${nodeLabel(node)}: its running statistics are not constant`);
      const next = g.add(g.scale(name, statisticsMomentum), g.scale(batchValue, 1 - statisticsMomentum));
      statistics.set(name, { initial: first, next });
    };
    blend(node.inputs[3]!, mean);
    blend(node.inputs[4]!, variance);
  } else if (node.op === "Dropout" && node.domain === "") appendDropout(g, graph, node, forward);
  else
    g.node(node.op, node.inputs, node.outputs.length, node.attributes, {
      name: node.name,
      domain: node.domain,
      outputs: node.outputs,
    });
}

function appendDropout(g: TypedBuilder, graph: Graph, node: Node, { options, noise }: Forward): void {
  const [x, ratioName] = node.inputs;
  const given = ratioName ? graph.initializers.get(ratioName) : undefined;
  const ratio = ratioName && given ? toNumbers(given)[0]! : 0.5;
  const shape = g.shape(x!);
  const { batch } = options;
  if (!noise.used) g.input(stepNames.noise, "float32", [batch]);
  noise.used = true;
  const random = createRandom(g.nodes.length);
  const features = shape.slice(1).reduce((a, b) => a * b, 1);
  const q = tensorOf(
    "float32",
    [1, ...shape.slice(1)],
    Float64Array.from({ length: features }, () => 1 + random.uniform()),
  );
  const p = g.reshape(stepNames.noise, [batch, ...shape.slice(1).map(() => 1)]);
  const product = g.mul(p, g.initializer("dropout-q", q));
  const uniform = g.sub(product, g.op("Floor", [product]));
  const kept = g.scale(g.positive(g.sub(uniform, g.scalar(ratio, uniform))), 1 / (1 - ratio));
  g.op("Mul", [x!, kept], {}, { name: node.name, outputs: [node.outputs[0]!] });
}
