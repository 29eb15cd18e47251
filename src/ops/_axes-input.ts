/** Axes of size 1 given as an input (Squeeze, Unsqueeze): reading them, and the channel rule. */
import { normalizeAxis } from "../tensor/shape.ts";
import { type ChannelLinks, inputAxis, outputAxis } from "./channels.ts";
import { type Fact, knownIntegers } from "./fact.ts";

/** The axes, counted from the start and sorted; undefined where not known. */
export function knownAxes(axes: Fact | undefined, rank: number): readonly number[] | undefined {
  return knownIntegers(axes)
    ?.map((axis) => normalizeAxis(axis, rank))
    .sort((a, b) => a - b);
}

/** Ties each axis of the wide side to its place on the narrow side, which lacks `axes`. */
export function linkWithout(rank: number, axes: readonly number[], wide: "I" | "O", links: ChannelLinks): void {
  let narrow = 0;
  for (let axis = 0; axis < rank; axis++) {
    if (axes.includes(axis)) continue;
    if (wide === "I") links.tie(inputAxis(0, axis), outputAxis(0, narrow++));
    else links.tie(inputAxis(0, narrow++), outputAxis(0, axis));
  }
}
