/** Reading the files of a data set: whole, bounded, and with errors that name the file. */
import { readFile, stat } from "node:fs/promises";
import { NetpareError } from "../tensor/error.ts";

/** Files above this many bytes are refused: what a split holds must fit one array. */
export const MAX_DATA_BYTES = 2 ** 31 - 1;

/** Whether `path` is a file. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Whether `path` is a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * All bytes of `path`.
 * @throws NetpareError bad-data where it cannot be read or holds more than `MAX_DATA_BYTES`.
 */
export async function readDataFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_DATA_BYTES)
      throw new NetpareError("bad-data", `${path}: ${size} bytes are more than the ${MAX_DATA_BYTES} that can be read`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof NetpareError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NetpareError("bad-data", `${path}: cannot be read (${reason})`, { cause });
  }
}

/**
 * Refuses labels that name no class.
 * @throws NetpareError bad-data naming the file, the image's index in it and the label.
 */
export function checkLabels(labels: ArrayLike<number>, classes: number, path: string): void {
  for (let i = 0; i < labels.length; i++)
    if (!(labels[i]! < classes))
      throw new NetpareError(
        "bad-data",
        `${path}: image ${i} has label ${labels[i]}, labels 0 to ${classes - 1} were expected; the file is damaged or of another data set`,
      );
}
