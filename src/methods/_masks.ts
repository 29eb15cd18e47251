/**
 * How a pruned weight stands in a graph, in one of two forms:
 *
 * - fixed, `w · |sign w|`: the second factor is 1 where a weight is left and 0 where it is not, and so is a weight's gradient, so that
 *   whatever trains the graph leaves zeros at zero. It needs no tensor of its own, that could be trained or grow the file.
 * - regrowing, `|w| > t ? w : 0` with w's gradient straight through: stored weights below the threshold count as zeros, go on learning
 *   and come back once they are above it (dynamic network surgery, Guo, Yao, Chen 2016, arXiv:1608.04493).
 */
import type { GraphEdit } from "../graph/edit.ts";
import type { Node } from "../graph/graph.ts";
import { scalar } from "../tensor/tensor.ts";

/** A mask over a stored weight. */
export interface Mask {
  /** The initializer that is masked. */
  readonly name: string;
  /** The nodes that make it up. */
  readonly nodes: readonly Node[];
  /** The initializer of the threshold of a regrowing mask; undefined for a fixed one. */
  readonly threshold: string | undefined;
}

/** The mask that `read` is the product of, undefined where it is none. */
export function findMask(read: string, writers: ReadonlyMap<string, Node>): Mask | undefined {
  return findFixed(read, writers) ?? findRegrowing(read, writers);
}

function findFixed(read: string, writers: ReadonlyMap<string, Node>): Mask | undefined {
  const product = writers.get(read);
  const [name = "", mask = ""] = product?.op === "Mul" ? product.inputs : [];
  const abs = writers.get(mask);
  const sign = writers.get(abs?.inputs[0] ?? "");
  if (!product || abs?.op !== "Abs" || sign?.op !== "Sign" || sign.inputs[0] !== name) return undefined;
  return { name, nodes: [product, abs, sign], threshold: undefined };
}

function findRegrowing(read: string, writers: ReadonlyMap<string, Node>): Mask | undefined {
  const through = writers.get(read);
  const [name = "", chosen = ""] = through?.op === "StraightThrough" ? through.inputs : [];
  const where = writers.get(chosen);
  const greater = writers.get(where?.inputs[0] ?? "");
  const abs = writers.get(greater?.inputs[0] ?? "");
  if (!through || where?.op !== "Where" || greater?.op !== "Greater" || abs?.op !== "Abs") return undefined;
  if (abs.inputs[0] !== name || where.inputs[1] !== name) return undefined;
  return { name, nodes: [through, where, greater, abs], threshold: greater.inputs[1]! };
}

/** Adds `value · |sign value|`, whose zeros no training moves; returns its name. */
export function addMasked(edit: GraphEdit, value: string): string {
  const node = (op: string, inputs: readonly string[], hint: string) => edit.op(op, inputs, `${value}/${hint}`);
  return node("Mul", [value, node("Abs", [node("Sign", [value], "sign")], "mask")], "masked");
}

/** Adds `|value| > threshold ? value : 0` with the gradient straight through; returns its name. */
export function addRegrowing(edit: GraphEdit, value: string, threshold: number): string {
  const node = (op: string, inputs: readonly string[], hint: string, domain = "") =>
    edit.op(op, inputs, `${value}/${hint}`, {}, domain);
  const t = edit.addInitializer(`${value}/threshold`, scalar(threshold));
  const zero = edit.addInitializer(`${value}/zero`, scalar(0));
  const mask = node("Greater", [node("Abs", [value], "magnitude"), t], "mask");
  return node("StraightThrough", [value, node("Where", [mask, value, zero], "left")], "regrowing", "netpare");
}
