/** Reads `.pare` files with all decoders at hand. */
import { decoders } from "../codec/decoders.ts";
import { type Program, type ReadLimits, readWith } from "./read.ts";

/**
 * Reads a file. Constants are decoded when they are asked for.
 * @throws NetpareError `bad-model` where it is none, of a later version, damaged or too large.
 */
export function readPare(file: Uint8Array, limits?: ReadLimits): Program {
  return readWith(file, () => decoders, limits);
}
