/**
 * A step that stays one session and computes values of the forward pass anew where the backward pass needs them (Chen et al. 2016,
 * arXiv:1604.06174). onnxruntime runs a node when its inputs are there and merges nodes that are equal. What is to run again, and
 * late, therefore reads something of the backward pass: to the smallest of its inputs a zero is added that is computed from
 * the gradient which is there last before.
 */
import { int } from "../graph/attributes.ts";
import { type Node, readsOf } from "../graph/graph.ts";
import { createNames, type Names } from "../graph/names.ts";
import { int64s, type Tensor } from "../tensor/tensor.ts";
import { bytesOf, type OrderedStep, sequence } from "./ordered-step.ts";
import { recomputation, storedValues } from "./ranges.ts";

/** A step in which some nodes run twice. */
export interface RecomputingStep {
  readonly step: OrderedStep;
  /** The nodes of the forward pass that run again, as they were. */
  readonly recomputed: readonly Node[];
}

/** The stored values that can be computed anew: a gradient must be there before they are read. */
export function recomputableValues(step: OrderedStep): string[] {
  const gradients = gradientsOf(step);
  return storedValues(step).filter((name) => gradients.some(({ at }) => at < firstNeed(step, name)));
}

/** The step without `dropped`, of `recomputableValues`, between their last use in the forward pass and the first in the backward. */
export function recomputeWithin(step: OrderedStep, dropped: ReadonlySet<string>): RecomputingStep {
  const rewriting = new Rewriting(step, dropped);
  for (const name of [...dropped].toSorted((a, b) => firstNeed(step, a) - firstNeed(step, b)))
    rewriting.computeAgain(name);
  return rewriting.finish();
}

const firstNeed = (step: OrderedStep, name: string) => step.readAt.get(name)!.find((at) => at >= step.forward)!;

/** Values that follow from what the forward pass stored last, in order: unlike masks of stored values, none can be early. */
function gradientsOf(step: OrderedStep): { readonly name: string; readonly at: number }[] {
  const reached = new Set(storedValues(step).slice(-1));
  const found: { name: string; at: number }[] = [];
  for (const [at, node] of step.nodes.entries()) {
    if (at < step.forward || !readsOf(node).some((name) => reached.has(name))) continue;
    for (const output of node.outputs) reached.add(output);
    const { dtype, shape } = step.facts.get(node.outputs[0]!)!;
    if (dtype === "float32" && shape!.length > 0) found.push({ name: node.outputs[0]!, at });
  }
  return found;
}

class Rewriting {
  private readonly names: Names;
  private readonly gradients: ReturnType<typeof gradientsOf>;
  private readonly fates: ReadonlyMap<string, "recompute">;
  /** What stands for a value of the forward pass from where it was computed again. */
  private readonly anew = new Map<string, string>();
  private readonly inserted = new Map<number, Node[]>();
  private readonly initializers: Map<string, Tensor>;
  private readonly recomputed: Node[] = [];

  constructor(
    private readonly step: OrderedStep,
    dropped: ReadonlySet<string>,
  ) {
    this.names = createNames(step.graph);
    this.gradients = gradientsOf(step);
    this.fates = new Map([...dropped].map((name) => [name, "recompute"]));
    this.initializers = new Map(step.graph.initializers);
  }

  computeAgain(name: string): void {
    const at = firstNeed(this.step, name);
    const nodes = recomputation(this.step, [name], this.fates).filter(({ outputs }) => !this.anew.has(outputs[0]!));
    if (nodes.length === 0) return;
    const place = this.inserted.get(at) ?? [];
    this.inserted.set(at, place);
    const zero = this.zeroFrom(this.gradients.findLast((gradient) => gradient.at < at)!.name, place);
    const here = new Set<string>();
    for (const node of nodes) {
      const inputs = node.inputs.map((input) => this.anew.get(input) ?? input);
      if (!inputs.some((input) => here.has(input))) this.makeWait(inputs, zero, place);
      const outputs = node.outputs.map((output) => (output === "" ? "" : this.names.fresh(`${output}/again`)));
      place.push({ ...node, name: this.names.freshNode(`${node.name}/again`), inputs, outputs });
      for (const [i, output] of node.outputs.entries()) if (output !== "") this.anew.set(output, outputs[i]!);
      for (const output of outputs) here.add(output);
      this.recomputed.push(node);
    }
  }

  finish(): RecomputingStep {
    const { step } = this;
    // Small results of what runs twice are read where they were written first.
    const swap = (input: string) => (this.fates.has(input) ? (this.anew.get(input) ?? input) : input);
    const nodes = step.nodes.flatMap((node, at) =>
      at < step.forward
        ? [node]
        : [...(this.inserted.get(at) ?? []), { ...node, inputs: node.inputs.map((input) => swap(input)) }],
    );
    const graph = { ...step.graph, nodes, initializers: this.initializers };
    return { step: sequence(graph, nodes, step.forward), recomputed: this.recomputed };
  }

  /** A zero of shape [1] that is there once `gradient` is; nothing is less than itself, NaN included. */
  private zeroFrom(gradient: string, place: Node[]): string {
    const rank = this.step.facts.get(gradient)!.shape!.length;
    const vector = (value: number) => this.constant(int64s(new Array(rank).fill(value)));
    const add = (op: string, inputs: readonly string[], attributes: Node["attributes"] = {}) => {
      const output = this.names.fresh(`wait/${op}`);
      place.push({ name: this.names.freshNode(output), op, domain: "", inputs, outputs: [output], attributes });
      return output;
    };
    const first = add("Slice", [gradient, vector(0), vector(1)]);
    const one = add("Reshape", [first, this.constant(int64s([1]))]);
    return add("Cast", [add("Less", [one, one])], { to: int(1) });
  }

  /** Adds the zero to the smallest input that is no shape nor absent. */
  private makeWait(inputs: string[], zero: string, place: Node[]): void {
    const { facts } = this.step;
    const candidates = inputs.flatMap((name, i) =>
      facts.get(name)?.dtype === "float32" && facts.get(name)!.shape!.length > 0 ? [{ name, i }] : [],
    );
    const { name, i } = candidates.toSorted((a, b) => bytesOf(this.step, a.name) - bytesOf(this.step, b.name))[0]!;
    const output = this.names.fresh(`${name}/late`);
    const node = { name: this.names.freshNode(output), op: "Add", domain: "", attributes: {} };
    place.push({ ...node, inputs: [name, zero], outputs: [output] });
    inputs[i] = output;
  }

  private constant(value: Tensor): string {
    const name = this.names.fresh("wait/constant");
    this.initializers.set(name, value);
    return name;
  }
}
