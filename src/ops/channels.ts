/**
 * How channels run through an operator.
 *
 * A slot is one index on one axis of one value. `tie` says that two slots stand or fall together; `pin` that the slots of an
 * axis cannot be removed. Slots that are tied, directly or through other nodes, form a class: the unit of structured pruning
 * (the dependency groups of Fang et al. 2023, arXiv:2301.12900, found here from index maps instead of from layer types).
 * An axis that a rule does not mention is pinned.
 */
import type { Attributes } from "../graph/attributes.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AttributeSchema } from "./attribute-schema.ts";
import type { InferredCall, InputNames } from "./define-op.ts";

/** An axis of the node's input or output number `index`. */
export interface AxisRef {
  readonly side: "I" | "O";
  readonly index: number;
  readonly axis: number;
}

/** Axis `axis` of input number `index`. */
export const inputAxis = (index: number, axis: number): AxisRef => ({ side: "I", index, axis });
/** Axis `axis` of output number `index`. */
export const outputAxis = (index: number, axis: number): AxisRef => ({ side: "O", index, axis });

/** What a channel rule says. */
export interface ChannelLinks {
  /** Ties slot `i` of `p` to slot `map(i)` of `q` for every `i` of `p` where `map` gives a number; the identity where left out. */
  tie(p: AxisRef, q: AxisRef, map?: (i: number) => number | undefined): void;
  /** Marks an axis as understood although nothing is tied to it (its slots are free). */
  free(p: AxisRef): void;
  /** Forbids removing any slot of an axis. */
  pin(p: AxisRef): void;
}

/** What changes in a node besides its shrunken values: new attributes, or new constants for inputs by position. */
export interface Shrunken {
  readonly attributes?: Attributes;
  readonly inputs?: ReadonlyMap<number, Tensor>;
}

/** Adapts a node to the slots that stay; `kept(axis)` lists them in order. Shapes in the call are those before. */
export type Shrink<S extends AttributeSchema, N extends InputNames> = (
  call: InferredCall<S, N>,
  kept: (axis: AxisRef) => readonly number[],
) => Shrunken;
