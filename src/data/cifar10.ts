/**
 * CIFAR-10 (Krizhevsky 2009, "Learning multiple layers of features from tiny images") in its binary version: records of
 * one label byte and 3072 pixel bytes, (3, 32, 32) in RGB order; data_batch_1.bin to data_batch_5.bin and test_batch.bin.
 * A batch may hold any number of whole records, so that excerpts load too.
 */
import { join } from "node:path";
import { NetpareError } from "../tensor/error.ts";
import { checkLabels, isFile, readDataFile } from "./data-file.ts";
import { allocateImages, type Dataset, type Split } from "./dataset.ts";

/** The classes of CIFAR-10. */
export const CIFAR10_CLASSES: readonly string[] = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

const PIXEL_BYTES = 3 * 32 * 32;
const RECORD_BYTES = 1 + PIXEL_BYTES;
const TRAIN_FILES = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
const TEST_FILES = ["test_batch.bin"];

/**
 * The six batches in `folder`, or in its `cifar-10-batches-bin`, where the published archive puts them; the other split
 * stays empty where `only` one is wanted.
 * @throws NetpareError bad-data naming the missing or damaged file.
 */
export async function readCifar10(folder: string, only?: "train" | "test"): Promise<Dataset> {
  const inner = join(folder, "cifar-10-batches-bin");
  const place = (await isFile(join(inner, "test_batch.bin"))) ? inner : folder;
  for (const file of [...TRAIN_FILES, ...TEST_FILES])
    if (!(await isFile(join(place, file))))
      throw new NetpareError(
        "bad-data",
        `${join(place, file)} is missing; give cifar10: the folder that holds data_batch_1.bin to data_batch_5.bin and test_batch.bin (CIFAR-10's binary version)`,
      );
  return {
    name: "cifar10",
    classes: CIFAR10_CLASSES,
    channels: 3,
    height: 32,
    width: 32,
    train: await readBatches(place, only === "test" ? [] : TRAIN_FILES),
    test: await readBatches(place, only === "train" ? [] : TEST_FILES),
    preprocessing: {
      scale: 1 / 255,
      mean: [0.4914, 0.4822, 0.4465],
      std: [0.247, 0.2435, 0.2616],
      channels: "rgb",
    },
  };
}

async function readBatches(folder: string, files: readonly string[]): Promise<Split> {
  const batches: Uint8Array[] = [];
  for (const file of files) {
    const path = join(folder, file);
    const bytes = await readDataFile(path);
    const left = bytes.length % RECORD_BYTES;
    if (bytes.length === 0 || left !== 0)
      throw new NetpareError(
        "bad-data",
        `${path}: records of ${RECORD_BYTES} bytes were expected, found ${bytes.length} bytes (${left} left over); the file is truncated or not CIFAR-10's binary version`,
      );
    const labels = Uint8Array.from({ length: bytes.length / RECORD_BYTES }, (_, i) => bytes[i * RECORD_BYTES]!);
    checkLabels(labels, CIFAR10_CLASSES.length, path);
    batches.push(bytes);
  }
  const length = batches.reduce((sum, bytes) => sum + bytes.length / RECORD_BYTES, 0);
  const images = allocateImages(length * PIXEL_BYTES);
  const labels = new Uint16Array(length);
  let n = 0;
  for (const bytes of batches)
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      labels[n] = bytes[at]!;
      images.set(bytes.subarray(at + 1, at + RECORD_BYTES), n * PIXEL_BYTES);
      n++;
    }
  return { images, labels, length };
}
