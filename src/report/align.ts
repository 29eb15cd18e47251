/**
 * Two models' layer tables side by side. Layers are the same when they have the same name; those found in one model only keep
 * their place between their neighbours (an insertion after the last shared layer). Limit: a renamed layer counts as
 * one removed and one added. Pure, no Node modules.
 */

import type { Layer } from "./schema.ts";

/** One row of a comparison; null on the side where the layer does not exist. */
export interface AlignedLayer {
  readonly name: string;
  readonly before: Layer | null;
  readonly after: Layer | null;
}

/** Every layer of `before` in order, with the layers that only `after` has put in where they stand. */
export function alignLayers(before: readonly Layer[], after: readonly Layer[]): readonly AlignedLayer[] {
  const shared = new Set(before.map((layer) => layer.name));
  const afterByName = new Map(after.map((layer) => [layer.name, layer]));
  const added = new Map<string | null, Layer[]>();
  let anchor: string | null = null;
  for (const layer of after) {
    if (shared.has(layer.name)) {
      anchor = layer.name;
    } else {
      added.set(anchor, [...(added.get(anchor) ?? []), layer]);
    }
  }
  const inserted = (name: string | null): AlignedLayer[] =>
    (added.get(name) ?? []).map((layer) => ({ name: layer.name, before: null, after: layer }));
  return [
    ...inserted(null),
    ...before.flatMap((layer) => [
      { name: layer.name, before: layer, after: afterByName.get(layer.name) ?? null },
      ...inserted(layer.name),
    ]),
  ];
}

/** Channels of a layer's output (N, C, …), null where that dimension is dynamic or absent. */
export function channelsOf(layer: Layer): number | null {
  const channels = layer.shape[1];
  return typeof channels === "number" ? channels : null;
}
