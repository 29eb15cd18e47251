/** What is known of a network without running it, and the removal of channels. */
export {
  type ChannelClass,
  type ChannelFamily,
  type ChannelGroups,
  type ClassMember,
  findChannelGroups,
} from "./channel-groups.ts";
export { compareGraphs, type LayerChange } from "./compare.ts";
export { analyzeCost, type Cost, type LayerCost, type Unsupported } from "./cost.ts";
export { removeChannels } from "./remove-channels.ts";
export { inferShapes } from "./shapes.ts";
