/** Temporary folders of small data files, and where the real ones are. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** The folder that holds the unpacked `mnist` and `cifar10`, or undefined. */
export const dataFolder = process.env.NETPARE_DATA;

/** Whether the unpacked data set `name` is there. */
export function hasData(name: string): boolean {
  return dataFolder !== undefined && existsSync(join(dataFolder, name));
}

/** A function that makes fresh folders with the given files; all of them go after the file's last test. */
export function temporaryFolders(): (files?: Record<string, Uint8Array>) => Promise<string> {
  const made: string[] = [];
  afterAll(() => Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true }))));
  return async (files = {}) => {
    const folder = await mkdtemp(join(tmpdir(), "netpare-data-"));
    made.push(folder);
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    return folder;
  };
}

/** An IDX file of bytes: `shape`, then `data`. */
export function idxFile(shape: readonly number[], data: ArrayLike<number>, magic = 0x0800 + shape.length): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  shape.forEach((dim, axis) => {
    view.setUint32(4 + 4 * axis, dim);
  });
  bytes.set(Uint8Array.from(data), 4 + 4 * shape.length);
  return bytes;
}

/** The four files of a tiny MNIST: two training images of 2x3, one test image. */
export function tinyMnist(): Record<string, Uint8Array> {
  return {
    "train-images-idx3-ubyte": idxFile([2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    "train-labels-idx1-ubyte": idxFile([2], [7, 0]),
    "t10k-images-idx3-ubyte": idxFile([1, 2, 3], [20, 21, 22, 23, 24, 25]),
    "t10k-labels-idx1-ubyte": idxFile([1], [9]),
  };
}

/** A CIFAR-10 batch of one record for each label: pixel k of record i is (i + k) mod 256. */
export function cifarBatch(labels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(labels.length * 3073);
  labels.forEach((label, i) => {
    bytes[i * 3073] = label;
    for (let k = 0; k < 3072; k++) bytes[i * 3073 + 1 + k] = i + k;
  });
  return bytes;
}

/** The six files of a tiny CIFAR-10. */
export function tinyCifar10(): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = { "test_batch.bin": cifarBatch([9, 8]) };
  for (let batch = 1; batch <= 5; batch++) files[`data_batch_${batch}.bin`] = cifarBatch([batch]);
  return files;
}
