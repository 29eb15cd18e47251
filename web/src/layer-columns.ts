/** The numeric columns of the layer table. */

import { channelsOf } from "../../src/report/align.ts";
import { formatBytes, formatCount, formatPercent } from "../../src/report/format.ts";
import type { Layer } from "../../src/report/schema.ts";

/** One numeric column. */
export interface LayerColumn {
  readonly head: string;
  readonly value: (layer: Layer) => number | null;
  readonly format: (value: number) => string;
  /** What a full bar stands for: the column's largest value, one, or no bar at all. */
  readonly scale: "most" | "one" | "none";
}

/** Channels, parameters, MACs, bytes, sparsity and bits. */
export const layerColumns: readonly LayerColumn[] = [
  { head: "Channels", value: channelsOf, format: String, scale: "most" },
  { head: "Parameters", value: (layer) => layer.parameters, format: formatCount, scale: "most" },
  { head: "MACs", value: (layer) => layer.macs, format: formatCount, scale: "most" },
  { head: "Weights", value: (layer) => layer.weightBytes, format: formatBytes, scale: "most" },
  { head: "Sparsity", value: (layer) => layer.sparsity, format: (value) => formatPercent(value, 0), scale: "one" },
  { head: "Bits", value: (layer) => (layer.parameters > 0 ? layer.bits : null), format: String, scale: "none" },
];
