/**
 * `netpare/runtime`: loads and runs `.pare` files, and turns pixels into a network's input and scores into ranked classes. Plain browser
 * code without dependencies.
 */
export {
  type LoadOptions,
  load,
  type Network,
  type NetworkPort,
  type Source,
} from "./load.ts";
export { type InputShape, type PixelScaling, type Pixels, prepareImage } from "./prepare-image.ts";
export { type RankedClass, rankClasses } from "./rank-classes.ts";
