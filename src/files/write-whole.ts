/**
 * Writes a file whole or not at all: to a new file beside it, synced to disk, then renamed over it.
 * A device or pipe is written to directly, since renaming would replace it. Short writes are continued: a disk that fills up
 * ends one early before it reports an error.
 */
import { open, realpath, rename, stat, unlink } from "node:fs/promises";
import { NetpareError } from "../tensor/error.ts";

let written = 0;

/** What a file holds: its bytes, or pieces of them in order. */
type Content = Uint8Array | readonly Uint8Array[];

/**
 * Writes `bytes` to `file`.
 * @throws NetpareError `io` with the reason; nothing is left behind then.
 */
export async function writeWhole(file: string, bytes: Content): Promise<void> {
  try {
    const target = await realpath(file).catch(() => file);
    const existing = await stat(target).catch(() => undefined);
    if (existing && !existing.isFile() && !existing.isDirectory())
      await writeTo(target, "w", bytes, existing.mode, false);
    else await replace(target, bytes, existing?.mode);
  } catch (error) {
    throw new NetpareError("io", `cannot write ${file}: ${ioReason(error)}`, { cause: error });
  }
}

async function replace(target: string, bytes: Content, mode: number | undefined): Promise<void> {
  const beside = `${target}.${process.pid}-${++written}.part`;
  try {
    await writeTo(beside, "w", bytes, mode, true);
    await rename(beside, target);
  } catch (error) {
    await unlink(beside).catch(() => undefined);
    throw error;
  }
}

async function writeTo(
  file: string,
  flags: string,
  bytes: Content,
  mode: number | undefined,
  sync: boolean,
): Promise<void> {
  const handle = await open(file, flags, mode);
  try {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) await handle.writeFile(piece);
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
}

const reasons = new Map([
  ["ENOSPC", "no space left on the disk"],
  ["EDQUOT", "the disk quota is used up"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
  ["ENOENT", "no such file or folder"],
  ["ENOTDIR", "a part of the path is not a folder"],
  ["EISDIR", "it is a folder"],
  ["EMFILE", "too many open files"],
  ["ERR_FS_FILE_TOO_LARGE", "the file is larger than 2 GiB"],
]);

/** Why the system refused, in words. */
export function ioReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return reasons.get(code) ?? (error instanceof Error ? error.message : String(error));
}
