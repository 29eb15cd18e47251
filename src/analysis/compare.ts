/** The difference of two graphs, layer by layer. Layers are the same where their names are. */
import type { Graph } from "../graph/graph.ts";
import { analyzeCost, type LayerCost } from "./cost.ts";

/** A layer before and after; one of them is missing where it was added or removed. */
export interface LayerChange {
  readonly name: string;
  readonly op: string;
  readonly before: LayerCost | undefined;
  readonly after: LayerCost | undefined;
  /** Sizes of axis 1 of the output. */
  readonly channels: { readonly before: number | undefined; readonly after: number | undefined };
}

/** Every layer of `before` and `after`, in the order of `after` with removed layers where they stood. */
export function compareGraphs(
  before: Graph,
  after: Graph,
  options: { readonly batch?: number } = {},
): readonly LayerChange[] {
  const old = analyzeCost(before, options).layers;
  const now = analyzeCost(after, options).layers;
  const present = new Set(now.map((layer) => layer.name));
  const byName = new Map(old.map((layer, at) => [layer.name, { layer, at }]));
  const changes: LayerChange[] = [];
  let passed = 0;
  const passRemoved = (end: number) => {
    for (; passed < end; passed++) if (!present.has(old[passed]!.name)) changes.push(change(old[passed], undefined));
  };
  for (const layer of now) {
    const match = byName.get(layer.name);
    if (match !== undefined) passRemoved(match.at);
    changes.push(change(match?.layer, layer));
  }
  passRemoved(old.length);
  return changes;
}

function change(before: LayerCost | undefined, after: LayerCost | undefined): LayerChange {
  const either = (after ?? before)!;
  const channels = { before: channelsOf(before), after: channelsOf(after) };
  return { name: either.name, op: either.op, before, after, channels };
}

function channelsOf(layer: LayerCost | undefined): number | undefined {
  const dim = layer?.shape[1];
  return typeof dim === "number" ? dim : undefined;
}
