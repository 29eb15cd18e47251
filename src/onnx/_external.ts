/**
 * Tensor data in files beside the model (TensorProto.external_data).
 * A location is a relative path inside the model's folder. Absolute paths, "..", links that lead outside and anything that
 * is not a regular file are refused, and no more is read than the tensor's shape asks for.
 */
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { malformed } from "./_wire.ts";

/** Reads external data for one model. */
export interface ExternalData {
  /**
   * The bytes at `entries` (location, offset, length): `sizeBytes` of them, or as many as the entry says where that is undefined.
   * @throws NetpareError `bad-model` naming the tensor and the file.
   */
  read(entries: ReadonlyMap<string, string>, sizeBytes: number | undefined, what: string): Uint8Array;
}

/** External data below `directory`; without a directory any use of it is an error. */
export function externalData(directory: string | undefined): ExternalData {
  const regions = new Map<string, Uint8Array>();
  const files = new Map<string, number>();
  let readBytes = 0;
  return {
    read(entries, sizeBytes, what) {
      const location = entries.get("location") ?? "";
      const path = resolveInside(directory, location, what);
      const fileBytes = fileSize(path, location, what);
      files.set(path, fileBytes);
      const offset = parseCount(entries.get("offset") ?? "0", "offset", what);
      const length = parseCount(entries.get("length") ?? String(sizeBytes ?? fileBytes - offset), "length", what);
      if (sizeBytes !== undefined && length !== sizeBytes)
        throw malformed(what, `external data of ${length} bytes, its shape wants ${sizeBytes}`);
      if (length < 0 || offset + length > fileBytes)
        throw malformed(
          what,
          `external data [${offset}, ${offset + length}) lies outside '${location}' of ${fileBytes} bytes`,
        );
      const key = `${offset}:${length}:${path}`;
      const known = regions.get(key);
      if (known) return known;
      // Regions may be shared, but overlapping ones could ask for more memory than there is on disk.
      readBytes += length;
      if (readBytes > [...files.values()].reduce((sum, bytes) => sum + bytes, 0))
        throw malformed(what, `external data in '${location}' overlaps that of other tensors`);
      const bytes = readRegion(path, offset, length, location, what);
      regions.set(key, bytes);
      return bytes;
    },
  };
}

function parseCount(text: string, field: string, what: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < 0)
    throw malformed(what, `external data has ${field} '${text}', expected a number of bytes`);
  return value;
}

function resolveInside(directory: string | undefined, location: string, what: string): string {
  if (directory === undefined)
    throw malformed(what, `its data lie in '${location}', but the model was not read from a folder`);
  const parts = location.split(/[\\/]/);
  if (
    location === "" ||
    isAbsolute(location) ||
    /^[A-Za-z]:/.test(location) ||
    location.startsWith("\\") ||
    parts.includes("..") ||
    location.includes("\0")
  )
    throw malformed(what, `external data location '${location}' is not a path inside the model's folder`);
  let root: string;
  let path: string;
  try {
    root = realpathSync(directory);
    path = realpathSync(join(root, location));
  } catch {
    throw malformed(what, `external data file '${location}' is missing; keep it in the model's folder`);
  }
  const inside = relative(root, path);
  if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
    throw malformed(what, `external data location '${location}' leads outside the model's folder`);
  return path;
}

function fileSize(path: string, location: string, what: string): number {
  const stats = statSync(path);
  if (!stats.isFile()) throw malformed(what, `external data location '${location}' is not a regular file`);
  return stats.size;
}

function readRegion(path: string, offset: number, length: number, location: string, what: string): Uint8Array {
  let file: number | undefined;
  try {
    const bytes = new Uint8Array(length);
    file = openSync(path, "r");
    let done = 0;
    while (done < length) {
      const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (count === 0) throw new Error("it ends early");
      done += count;
    }
    return bytes;
  } catch (error) {
    throw malformed(what, `external data file '${location}' cannot be read (${(error as Error).message})`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
