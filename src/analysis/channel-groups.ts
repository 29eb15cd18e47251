/**
 * Which channels of a network stand or fall together: the dependency groups of Fang et al. 2023 (DepGraph, arXiv:2301.12900).
 * A slot is one index on one axis of one value. The operators' channel rules tie slots; the classes of the union are the units
 * that structured pruning removes. Slots of graph inputs and outputs are pinned, so are those that an unknown operator touches,
 * or that a rule does not mention. Dynamic dimensions have no slots.
 */
import { type Graph, type Node, nodeLabel } from "../graph/graph.ts";
import type { AxisRef, ChannelLinks } from "../ops/channels.ts";
import type { Fact } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { findOp } from "../ops/registry.ts";

/** The slots of one class on one axis of one value. */
export interface ClassMember {
  readonly value: string;
  readonly axis: number;
  /** In ascending order. */
  readonly indices: readonly number[];
  /** Whether the value is an initializer, whose slices are what pruning saves and scores. */
  readonly initializer: boolean;
}

/** Slots that can be removed together, and only together. */
export interface ChannelClass {
  readonly members: readonly ClassMember[];
}

/** Classes that run through the same axes with the same number of slots: the channels of one group of layers, in order. */
export interface ChannelFamily {
  readonly axes: readonly { readonly value: string; readonly axis: number; readonly slots: number }[];
  readonly classes: readonly ChannelClass[];
}

/** The channel structure of a graph. */
export interface ChannelGroups {
  /** Every class that may be removed and has a slot in an initializer. */
  readonly classes: readonly ChannelClass[];
  readonly families: readonly ChannelFamily[];
  /** Nodes around which no channel can be removed, and why. */
  readonly pinned: readonly { readonly node: string; readonly reason: string }[];
}

/**
 * Finds the channel classes of `graph`.
 * @throws NetpareError naming the node where shapes do not fit.
 */
export function findChannelGroups(graph: Graph): ChannelGroups {
  const facts = inferFacts(graph);
  const slots = new Slots(facts);
  const pinned: { node: string; reason: string }[] = [];
  for (const { name } of [...graph.inputs, ...graph.outputs]) slots.pinValue(name);
  for (const node of graph.nodes) {
    const op = findOp(node);
    if (op?.link !== undefined) linkNode(node, op.link, facts, slots);
    else {
      for (const name of [...node.inputs, ...node.outputs]) slots.pinValue(name);
      const reason = op ? "it has no rule for channels" : "netpare does not know this operator";
      pinned.push({ node: nodeLabel(node), reason });
    }
  }
  const classes = slots.classes(new Set(graph.initializers.keys()));
  return { classes, families: familiesOf(classes), pinned };
}

type Link = NonNullable<NonNullable<ReturnType<typeof findOp>>["link"]>;

/** Applies a node's rule, and pins every axis that it does not mention. */
function linkNode(node: Node, link: Link, facts: Facts, slots: Slots): void {
  const fact = (name: string) => (name === "" ? undefined : facts.get(name));
  const inputs = node.inputs.map(fact);
  const outputs = node.outputs.map((name): Fact => fact(name) ?? { dtype: "float32", shape: undefined });
  const nameOf = ({ side, index }: AxisRef) => (side === "I" ? node.inputs : node.outputs)[index] ?? "";
  const mentioned = new Set<string>();
  const mention = (ref: AxisRef) => mentioned.add(`${ref.side}${ref.index}/${ref.axis}`);
  const links: ChannelLinks = {
    tie(p, q, map) {
      mention(p);
      mention(q);
      slots.tie(nameOf(p), p.axis, nameOf(q), q.axis, map);
    },
    free: mention,
    pin: (ref) => slots.pinAxis(nameOf(ref), ref.axis),
  };
  const ranked = [...inputs, outputs[0]].every((given) => given === undefined || given.shape !== undefined);
  if (ranked) link(node, inputs, outputs, links);
  for (const side of ["I", "O"] as const)
    (side === "I" ? node.inputs : node.outputs).forEach((name, index) => {
      const rank = facts.get(name)?.shape?.length ?? 0;
      for (let axis = 0; axis < rank; axis++) if (!mentioned.has(`${side}${index}/${axis}`)) slots.pinAxis(name, axis);
    });
}

interface Axis {
  readonly value: string;
  readonly axis: number;
  readonly first: number;
  readonly size: number;
}

/** All slots of a graph in one union-find. */
class Slots {
  private readonly axes = new Map<string, Axis>();
  private readonly parent: Int32Array;
  private readonly pinned: Uint8Array;
  private readonly ranks = new Map<string, number>();

  constructor(facts: Facts) {
    let first = 0;
    for (const [value, { shape }] of facts) {
      this.ranks.set(value, shape?.length ?? 0);
      shape?.forEach((size, axis) => {
        if (typeof size === "string") return;
        this.axes.set(`${axis}/${value}`, { value, axis, first, size });
        first += size;
      });
    }
    this.parent = Int32Array.from({ length: first }, (_, slot) => slot);
    this.pinned = new Uint8Array(first);
  }

  pinValue(value: string): void {
    for (let axis = 0; axis < (this.ranks.get(value) ?? 0); axis++) this.pinAxis(value, axis);
  }

  pinAxis(value: string, axis: number): void {
    const at = this.axes.get(`${axis}/${value}`);
    if (at) this.pinned.fill(1, at.first, at.first + at.size);
  }

  /** Ties slots by `map`. An axis tied to one of unknown size is pinned. */
  tie(p: string, pAxis: number, q: string, qAxis: number, map: ((i: number) => number | undefined) | undefined): void {
    const a = this.axes.get(`${pAxis}/${p}`);
    const b = this.axes.get(`${qAxis}/${q}`);
    if (a === undefined || b === undefined) {
      if (p !== "" && q !== "")
        for (const [value, axis] of [
          [p, pAxis],
          [q, qAxis],
        ] as const)
          this.pinAxis(value, axis);
      return;
    }
    if (map === undefined && a.size > b.size)
      throw new Error(`internal: axis ${pAxis} of '${p}' has ${a.size} slots, axis ${qAxis} of '${q}' ${b.size}`);
    for (let i = 0; i < a.size; i++) {
      const j = map === undefined ? i : map(i);
      if (j !== undefined && j >= 0 && j < b.size) this.parent[this.root(a.first + i)] = this.root(b.first + j);
    }
  }

  private root(slot: number): number {
    let at = slot;
    while (this.parent[at] !== at) {
      const next = this.parent[this.parent[at]!]!;
      this.parent[at] = next;
      at = next;
    }
    return at;
  }

  /** Unpinned classes with a slot in one of `initializers` that leave something of every axis they are on. */
  classes(initializers: ReadonlySet<string>): ChannelClass[] {
    const pinnedRoots = new Set<number>();
    this.pinned.forEach((pinned, slot) => {
      if (pinned) pinnedRoots.add(this.root(slot));
    });
    const members = new Map<number, Map<Axis, number[]>>();
    for (const axis of this.axes.values())
      for (let i = 0; i < axis.size; i++) {
        const root = this.root(axis.first + i);
        if (pinnedRoots.has(root)) continue;
        const byAxis = members.get(root) ?? new Map<Axis, number[]>();
        members.set(root, byAxis);
        const indices = byAxis.get(axis);
        if (indices) indices.push(i);
        else byAxis.set(axis, [i]);
      }
    return [...members.values()].flatMap((byAxis) => {
      const entries = [...byAxis];
      if (entries.some(([{ size }, indices]) => indices.length === size)) return [];
      const list = entries.map(([{ value, axis }, indices]) => ({
        value,
        axis,
        indices,
        initializer: initializers.has(value),
      }));
      return list.some((member) => member.initializer) ? [{ members: list }] : [];
    });
  }
}

function familiesOf(classes: readonly ChannelClass[]): ChannelFamily[] {
  const families = new Map<string, { axes: ChannelFamily["axes"]; classes: ChannelClass[] }>();
  for (const one of classes) {
    const axes = one.members.map(({ value, axis, indices }) => ({ value, axis, slots: indices.length }));
    const signature = JSON.stringify(axes);
    const family = families.get(signature);
    if (family) family.classes.push(one);
    else families.set(signature, { axes, classes: [one] });
  }
  return [...families.values()];
}
