/** Model files as commands take them and write them. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { readAnyModel } from "../engine/open-model.ts";
import type { Graph } from "../graph/graph.ts";
import { operators } from "../ops/registry.ts";
import { NetpareError } from "../tensor/error.ts";
import { createRandom } from "../tensor/random.ts";
import { architectures, findArchitecture } from "../zoo/index.ts";

/** A model that was read. */
export interface ModelFile {
  /** As the user gave it. */
  readonly file: string;
  /** The file's name without its folder. */
  readonly name: string;
  readonly graph: Graph;
  /** Bytes of the file, without external data. */
  readonly fileBytes: number;
}

const knownOperators = new Set(operators.filter(({ domain }) => domain === "").map(({ op }) => op));

/**
 * Reads a model file.
 * @throws NetpareError where it cannot be read or is no model.
 */
export async function loadModel(file: string): Promise<ModelFile> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new NetpareError("io", `there is no file ${file}; give the path of an .onnx model`);
  if (found.isDirectory()) throw new NetpareError("io", `${file} is a folder; give the path of an .onnx model`);
  return { file, name: basename(file), graph: await readAnyModel(file, { knownOperators }), fileBytes: found.size };
}

/** The zoo's network of that name with default settings, undefined where there is none. */
export function zooModel(name: string): Graph | undefined {
  if (!architectures.some((architecture) => architecture.name === name)) return undefined;
  return findArchitecture(name).build({}, createRandom(1));
}

/**
 * Makes sure, before any work, that `file` can be written.
 * @throws NetpareError `io` where it is a folder, or its folder is missing or not writable.
 */
export async function checkOutFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory()) throw new NetpareError("io", `--out ${file} is a folder; give the path of a file`);
  const folder = dirname(resolve(file));
  const folderFound = await stat(folder).catch(() => undefined);
  if (!folderFound?.isDirectory())
    throw new NetpareError("io", `--out ${file}: the folder ${folder} does not exist; make it first`);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) throw new NetpareError("io", `--out ${file}: the folder ${folder} is not writable`);
}

/** `--out FILE`. */
export const outDescription = { metavar: "FILE", description: "file to write" };
