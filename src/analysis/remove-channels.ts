/** Structured pruning: removes classes of channels from a graph. Which ones is a method's choice. */
import { GraphEdit } from "../graph/edit.ts";
import { type Graph, type Node, producers } from "../graph/graph.ts";
import type { AxisRef } from "../ops/channels.ts";
import type { Fact } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { findOp } from "../ops/registry.ts";
import { NetpareError } from "../tensor/error.ts";
import { indicesTo, takeAxes } from "../tensor/take.ts";
import type { ChannelClass } from "./channel-groups.ts";

/** Indices that stay, by value and axis; axes that are not there stay whole. */
type Kept = ReadonlyMap<string, ReadonlyMap<number, readonly number[]>>;

/**
 * `graph` without the slots of `classes`, which come from `findChannelGroups(graph)`: initializers are cut, nodes adapted, and
 * the types of all values checked.
 * @throws NetpareError `bad-option` where nothing would be left of an axis.
 */
export function removeChannels(graph: Graph, classes: readonly ChannelClass[]): Graph {
  if (classes.length === 0) return graph;
  const facts = inferFacts(graph);
  const kept = keptIndices(classes, facts);
  const edit = new GraphEdit(graph);
  for (const [name, t] of graph.initializers) {
    const axes = kept.get(name);
    if (axes === undefined) continue;
    const maps = t.shape.map((dim, axis) => axes.get(axis) ?? indicesTo(dim));
    edit.setInitializer(name, takeAxes(t, maps));
  }
  for (const node of graph.nodes)
    if ([...node.inputs, ...node.outputs].some((name) => kept.has(name))) shrinkNode(edit, node, facts, kept);
  const cut = edit.apply();
  checkTypes(cut, facts, kept);
  return cut;
}

function keptIndices(classes: readonly ChannelClass[], facts: Facts): Kept {
  const removed = new Map<string, Map<number, Set<number>>>();
  for (const { members } of classes)
    for (const { value, axis, indices } of members) {
      const axes = removed.get(value) ?? new Map<number, Set<number>>();
      removed.set(value, axes.set(axis, new Set([...(axes.get(axis) ?? []), ...indices])));
    }
  const left = (value: string, axis: number, gone: ReadonlySet<number>) => {
    const indices = indicesTo(sizeOfAxis(facts.get(value), axis)).filter((i) => !gone.has(i));
    if (indices.length === 0)
      throw new NetpareError("bad-option", `all ${gone.size} channels of '${value}' would go; keep at least one`);
    return indices;
  };
  return new Map(
    [...removed].map(([value, axes]) => [
      value,
      new Map([...axes].map(([axis, gone]) => [axis, left(value, axis, gone)])),
    ]),
  );
}

function sizeOfAxis(fact: Fact | undefined, axis: number): number {
  const dim = fact?.shape?.[axis];
  return typeof dim === "number" ? dim : 0;
}

function shrinkNode(edit: GraphEdit, node: Node, facts: Facts, kept: Kept): void {
  const fact = (name: string) => (name === "" ? undefined : facts.get(name));
  const inputs = node.inputs.map(fact);
  const outputs = node.outputs.map((name): Fact => fact(name) ?? { dtype: "float32", shape: undefined });
  const keptOf = ({ side, index, axis }: AxisRef) => {
    const name = (side === "I" ? node.inputs : node.outputs)[index] ?? "";
    return kept.get(name)?.get(axis) ?? indicesTo(sizeOfAxis(fact(name), axis));
  };
  const shrunken = findOp(node)?.shrink(node, inputs, outputs, keptOf) ?? {};
  if (shrunken.attributes === undefined && shrunken.inputs === undefined) return;
  const names = [...node.inputs];
  for (const [i, t] of shrunken.inputs ?? []) {
    while (names.length <= i) names.push("");
    names[i] = edit.addInitializer(names[i] || `${node.outputs[0]}/${i}`, t);
  }
  edit.replace(node, { ...node, inputs: names, attributes: shrunken.attributes ?? node.attributes });
}

/** Whether every value has the type it had, with the axes that were cut shorter by what was cut. */
function checkTypes(graph: Graph, before: Facts, kept: Kept): void {
  const writer = producers(graph);
  for (const [name, { dtype, shape }] of inferFacts(graph)) {
    const old = before.get(name);
    if (old === undefined) continue;
    const expected = old.shape?.map((dim, axis) => kept.get(name)?.get(axis)?.length ?? dim);
    if (dtype === old.dtype && String(shape) === String(expected)) continue;
    const by = writer.get(name);
    throw new Error(
      `internal: the channel rule of ${by?.op ?? "an initializer"} is wrong: '${name}' is [${shape}], expected [${expected}]`,
    );
  }
}
