/**
 * Loads a `.pare` file with all that the runtime has: `const network = await load("faces.pare"); network.run(pixels)`.
 */
import { badFile } from "../format/read.ts";
import { kernelModules } from "./kernels/modules.ts";
import { type LoadOptions, loadWith, type Network } from "./load-with.ts";
import { operators } from "./operators/index.ts";

export type { LoadOptions, Network, NetworkPort } from "./load-with.ts";

/** A file: its bytes, where to fetch it, or what was fetched. */
export type Source = Uint8Array | ArrayBuffer | Response | URL | string;

/**
 * Reads a file, lays its memory out and compiles the kernels that it needs.
 * @throws NetpareError `bad-model` where it is no `.pare` file, or the runtime cannot run it.
 */
export async function load(source: Source, options?: LoadOptions): Promise<Network> {
  return loadWith({ operators, kernels: kernelModules }, await bytesOf(source), options);
}

async function bytesOf(source: Source): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const response = source instanceof Response ? source : await fetch(source);
  if (!response.ok) throw badFile(`${response.url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
