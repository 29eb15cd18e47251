/**
 * `netpare/runtime`: what a page needs around a network, in plain browser code without dependencies. It turns pixels into the
 * network's input and scores into ranked classes; the network itself is run by whatever runs ONNX there.
 */
export { type InputShape, type PixelScaling, type Pixels, prepareImage } from "./prepare-image.ts";
export { type RankedClass, rankClasses } from "./rank-classes.ts";
