/** Predicts the peak of a step in ranges: what is held across ranges, and what a range's own values need while it runs. */
import { readsOf } from "../graph/graph.ts";
import { bytesOf, type OrderedStep } from "./ordered-step.ts";
import type { Range } from "./ranges.ts";

/** Operators whose output shares the bytes of their first input. */
const views = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"]);

/**
 * What onnxruntime takes for each byte that is alive, with gaps and what kernels use, by how it takes its memory. Measured on
 * VGG-16, ResNet-20 and DenseNet, it was 1.1 to 1.35, 1.2 to 1.55 and 2.3 to 2.7.
 */
const surcharge = { fresh: 1.35, held: 1.5, ahead: 2.7 };

/** What is alive at a peak. */
export interface Peak {
  readonly bytes: number;
  /** Values that are held at the peak, though nothing there reads them. */
  readonly held: ReadonlySet<string>;
}

/** The largest sum of bytes over the ranges, which lay memory out ahead, hold it from step to step or ask for it anew. */
export function peakOf(step: OrderedStep, ranges: readonly Range[], memory: keyof typeof surcharge = "fresh"): Peak {
  const held = new Set(step.given);
  const total = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + bytesOf(step, name), 0);
  let peak: Peak = { bytes: 0, held: new Set() };
  for (const range of ranges) {
    for (const name of range.load) held.add(name);
    const within = peakWithin(step, range, ranges.length > 1);
    // What a range writes is there twice at its end: onnxruntime's own and the copy that JavaScript gets.
    const own = surcharge[memory] * within.bytes;
    const copies = total(range.writes);
    const bytes = total(held) + (memory === "fresh" ? Math.max(own, 2 * copies) : own + copies);
    if (bytes > peak.bytes) {
      const read = new Set(range.reads);
      peak = { bytes, held: new Set([...within.held, ...[...held].filter((name) => !read.has(name))]) };
    }
    for (const name of range.writes) held.add(name);
    for (const name of range.drop) held.delete(name);
  }
  return peak;
}

/**
 * The most bytes that values written in the range take at once; where `relaid`, together with the copies of what a convolution
 * reads and writes that onnxruntime lays out in blocks of channels. A step that is one session stays in blocks.
 */
export function peakWithin(
  step: OrderedStep,
  { nodes, writes }: Pick<Range, "nodes" | "writes">,
  relaid: boolean,
): Peak {
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
  const live = new Set<string>();
  let bytes = 0;
  let peak: Peak = { bytes: 0, held: new Set() };
  for (const [at, node] of nodes.entries()) {
    for (const output of node.outputs) {
      if (output === "" || ownerOf(output) !== output) continue;
      live.add(output);
      bytes += bytesOf(step, output);
    }
    const now =
      bytes + (relaid && node.op === "Conv" ? bytesOf(step, node.inputs[0]!) + bytesOf(step, node.outputs[0]!) : 0);
    if (now > peak.bytes) {
      const used = new Set([...readsOf(node), ...node.outputs].map(ownerOf));
      peak = { bytes: now, held: new Set([...live].filter((name) => !used.has(name))) };
    }
    for (const name of dying.get(at) ?? []) if (live.delete(name)) bytes -= bytesOf(step, name);
  }
  return peak;
}
