/**
 * How two networks read the same image: `x = (byte·scale - mean) / std` a channel, in RGB, BGR or grey. What the one reads
 * follows from what the other reads by an affine map over channels, `x' = M·x + b`; grey is BT.601's luma.
 */
import { z } from "zod";
import type { Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";

const readingSchema = z.object({
  scale: z.number(),
  mean: z.array(z.number()).min(1),
  std: z.array(z.number()).min(1),
  channels: z.enum(["rgb", "bgr", "grey"]),
});

/** The preprocessing in a model's metadata. */
export type Reading = z.output<typeof readingSchema>;

/** `x' = matrix · x + offset` over channels. */
export interface ImageConversion {
  readonly matrix: readonly (readonly number[])[];
  readonly offset: readonly number[];
}

/**
 * How a network reads images, undefined where its file does not say.
 * @throws NetpareError `bad-model` where the metadata is damaged.
 */
export function readingOf(graph: Graph, who: string): Reading | undefined {
  const text = graph.metadata.get("netpare.preprocessing");
  if (text === undefined) return undefined;
  try {
    return readingSchema.parse(JSON.parse(text));
  } catch {
    throw new NetpareError("bad-model", `${who}: the metadata netpare.preprocessing is damaged`);
  }
}

/** Shares of red, green and blue in luma (ITU-R BT.601). */
const luma = [0.299, 0.587, 0.114];

const channelCount = ({ channels }: Reading) => (channels === "grey" ? 1 : 3);

/** From what `from` reads to what `to` reads; undefined where that is the same, or where one of them is not known. */
export function conversionBetween(from: Reading | undefined, to: Reading | undefined): ImageConversion | undefined {
  if (from === undefined || to === undefined) return undefined;
  const at = (values: readonly number[], c: number) => values[c] ?? values[0]!;
  const inputs = Array.from({ length: channelCount(from) }, (_, c) => c);
  const outputs = Array.from({ length: channelCount(to) }, (_, c) => c);
  const gain = (o: number) => to.scale / (from.scale * at(to.std, o));
  const matrix = outputs.map((o) => inputs.map((i) => shareOf(from, i, to, o) * at(from.std, i) * gain(o)));
  const offset = outputs.map((o) => {
    const mean = inputs.reduce((sum, i) => sum + shareOf(from, i, to, o) * at(from.mean, i), 0);
    return mean * gain(o) - at(to.mean, o) / at(to.std, o);
  });
  const near = (x: number, y: number) => Math.abs(x - y) < 1e-6;
  const same =
    inputs.length === outputs.length &&
    matrix.every((row, o) => row.every((m, i) => near(m, o === i ? 1 : 0))) &&
    offset.every((b) => near(b, 0));
  return same ? undefined : { matrix, offset };
}

/** How much of channel `i` of `from` goes into channel `o` of `to`. */
function shareOf(from: Reading, i: number, to: Reading, o: number): number {
  const colour = (reading: Reading, c: number) => (reading.channels === "bgr" ? 2 - c : c);
  if (from.channels === "grey") return 1;
  if (to.channels === "grey") return luma[colour(from, i)]!;
  return colour(from, i) === colour(to, o) ? 1 : 0;
}
