/** Model files on disk: read whole, written beside and then renamed, so that a file is never half there. */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ioReason, writeWhole } from "../files/write-whole.ts";
import type { Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { type DecodeOptions, decodeModel } from "./decode.ts";
import { encodeModel } from "./encode.ts";

/**
 * Reads a model file; external tensor data are looked for in its folder.
 * @throws NetpareError `io` where the file cannot be read; else as `decodeModel`.
 */
export async function readModel(file: string, options: Pick<DecodeOptions, "knownOperators"> = {}): Promise<Graph> {
  return decodeModel(await readBytes(file), { ...options, file, directory: dirname(file) });
}

/**
 * The bytes of a file.
 * @throws NetpareError `io`.
 */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new NetpareError("io", `cannot read ${file}: ${ioReason(error)}`, { cause: error });
  }
}

/**
 * Writes a model file, whole or not at all.
 * @throws NetpareError `io` where it cannot be written; else as `encodeModel`.
 */
export async function writeModel(file: string, graph: Graph): Promise<void> {
  await writeWhole(file, encodeModel(graph));
}
