/**
 * How channels run through Conv and ConvTranspose, in three cases of one rule.
 * Dense: input channels stand with the weight's input axis, output channels with its output axis. Depthwise (one input
 * channel a group, `m` outputs each): channel `c` stands with outputs `c·m … c·m+m−1`, and the number of groups shrinks.
 * Grouped: every group must lose the same indices, so index `i` of one group is tied to index `i` of the next.
 */
import { int } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";
import { type AxisRef, type ChannelLinks, inputAxis, outputAxis, type Shrunken } from "./channels.ts";

/** Groups, input channels and output channels of a convolution. */
export interface Grouping {
  readonly group: number;
  readonly channels: number;
  readonly outputs: number;
}

/** Where the weight (input 1) holds input and output channels; per group where the axis is the shorter one. */
export interface WeightAxes {
  readonly inOfW: 0 | 1;
  readonly outOfW: 0 | 1;
  readonly hasBias: boolean;
}

const isDepthwise = ({ group, channels }: Grouping) => group > 1 && group === channels;

/** Ties what stands or falls together in a convolution of input 0 by weight 1 and bias 2. */
export function linkConv(links: ChannelLinks, size: Grouping, { inOfW, outOfW, hasBias }: WeightAxes): void {
  const [x, y] = [inputAxis(0, 1), outputAxis(0, 1)];
  const [wIn, wOut] = [inputAxis(1, inOfW), inputAxis(1, outOfW)];
  links.tie(inputAxis(0, 0), outputAxis(0, 0));
  if (hasBias) links.tie(inputAxis(2, 0), y);
  if (isDepthwise(size)) {
    const multiplier = size.outputs / size.group;
    links.tie(y, x, (o) => Math.floor(o / multiplier));
    // Axis 0 of the weight runs over all channels, axis 1 over those of one group.
    links.tie(inputAxis(1, 0), inOfW === 0 ? x : y);
    return;
  }
  // The weight's axis 0 has all channels of its side; axis 1 those of one group, which name the same index in each.
  links.tie(wIn, x);
  links.tie(wOut, y);
  if (size.group === 1) return;
  const perGroup = { in: size.channels / size.group, out: size.outputs / size.group };
  links.tie(x, x, (c) => (c + perGroup.in) % size.channels);
  links.tie(y, y, (o) => (o + perGroup.out) % size.outputs);
}

/** The group count of a depthwise convolution follows its channels. */
export function shrinkGroups(node: Node, size: Grouping, kept: (axis: AxisRef) => readonly number[]): Shrunken {
  if (!isDepthwise(size)) return {};
  return { attributes: { ...node.attributes, group: int(kept(inputAxis(0, 1)).length) } };
}
