/** Predicts the peak of a step in ranges: what is held across ranges, and what a range's own values need while it runs. */
import { readsOf } from "../graph/graph.ts";
import { bytesOf, type OrderedStep } from "./ordered-step.ts";
import type { Range } from "./ranges.ts";

/** Operators whose output shares the bytes of their first input. */
const views = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"]);

/** onnxruntime's own order within a range holds more at once than the order of the step: measured on VGG-16. */
const orderSurcharge = 1.2;

/** The largest sum of bytes over the ranges, and the values that are held through that range without being read in it. */
export function peakOf(
  step: OrderedStep,
  ranges: readonly Range[],
): { readonly bytes: number; readonly held: ReadonlySet<string> } {
  const held = new Set(step.given);
  const total = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + bytesOf(step, name), 0);
  let peak = { bytes: 0, held: new Set<string>() as ReadonlySet<string> };
  for (const range of ranges) {
    for (const name of range.load) held.add(name);
    // What a range writes is there twice at its end: onnxruntime's own and the copy that JavaScript gets.
    const bytes = total(held) + Math.max(orderSurcharge * peakWithin(step, range), 2 * total(range.writes));
    for (const name of range.writes) held.add(name);
    if (bytes > peak.bytes) {
      const read = new Set(range.reads);
      peak = { bytes, held: new Set([...held].filter((name) => !read.has(name))) };
    }
    for (const name of range.drop) held.delete(name);
  }
  return peak;
}

/** The most bytes that values written in the range, and the engine's working copies, take at once. */
function peakWithin(step: OrderedStep, { nodes, writes }: Range): number {
  const owner = new Map<string, string>();
  const ownerOf = (name: string) => owner.get(name) ?? name;
  for (const node of nodes)
    for (const output of node.outputs) owner.set(output, views.has(node.op) ? ownerOf(node.inputs[0]!) : output);
  const lastUse = new Map<string, number>();
  for (const [at, node] of nodes.entries())
    for (const name of [...readsOf(node), ...node.outputs]) lastUse.set(ownerOf(name), at);
  for (const name of writes) lastUse.set(ownerOf(name), nodes.length);
  const dying = new Map<number, string[]>();
  for (const [name, at] of lastUse) dying.set(at, [...(dying.get(at) ?? []), name]);
  let live = 0;
  let peak = 0;
  for (const [at, node] of nodes.entries()) {
    for (const output of node.outputs) if (ownerOf(output) === output) live += bytesOf(step, output);
    peak = Math.max(peak, live + workspace(step, node.op, node.inputs[0], node.outputs[0]));
    for (const name of dying.get(at) ?? []) if (owner.has(name)) live -= bytesOf(step, name);
  }
  return peak;
}

/** onnxruntime lays out what a convolution reads and writes in blocks of channels, in copies of their own. */
function workspace(step: OrderedStep, op: string, input: string | undefined, output: string | undefined): number {
  if (op !== "Conv" || input === undefined || output === undefined) return 0;
  return bytesOf(step, input) + bytesOf(step, output);
}
