/**
 * MNIST and Fashion-MNIST from their IDX files, raw or gzipped, in one folder.
 * IDX (LeCun, "The MNIST database"): two zero bytes, a type (0x08: unsigned byte), the number of axes, each axis as a
 * big-endian int32, then the bytes. Images: (N, H, W); labels: (N).
 * A gzipped file is inflated to what its header announces and no further.
 */
import { join } from "node:path";
import { constants, gunzipSync } from "node:zlib";
import { NetpareError } from "../tensor/error.ts";
import { checkLabels, isFile, MAX_DATA_BYTES, readDataFile } from "./data-file.ts";
import { type Dataset, type Split, shareImages } from "./dataset.ts";

/** The classes of MNIST. */
export const MNIST_CLASSES: readonly string[] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** The classes of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747). */
export const FASHION_MNIST_CLASSES: readonly string[] = [
  "t-shirt/top",
  "trouser",
  "pullover",
  "dress",
  "coat",
  "sandal",
  "shirt",
  "sneaker",
  "bag",
  "ankle boot",
];

/** An unsigned-byte IDX array of any rank. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes with `rank` axes, gunzipping it where it starts with gzip's magic.
 * @throws NetpareError bad-data for a wrong magic, type, rank or size.
 */
export async function readIdx(path: string, rank: number): Promise<IdxArray> {
  const file = await readDataFile(path);
  const gzipped = file[0] === 0x1f && file[1] === 0x8b;
  const headerBytes = 4 + 4 * rank;
  const head = gzipped ? inflateStart(file, path) : file;
  const shape = parseHeader(head, rank, path);
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size > MAX_DATA_BYTES)
    throw new NetpareError("bad-data", `${path}: its header announces ${size} bytes, more than can be read`);
  const bytes = gzipped ? inflate(file, headerBytes + size, path) : file;
  if (bytes.length !== headerBytes + size)
    throw new NetpareError(
      "bad-data",
      `${path}: its header announces ${headerBytes + size} bytes, found ${bytes.length}; the file is truncated or damaged`,
    );
  return { shape, data: bytes.subarray(headerBytes) };
}

/** The folder's four files as a data set of ten classes. */
export async function readIdxDataset(
  folder: string,
  name: "mnist" | "fashion-mnist",
  classes: readonly string[],
): Promise<Dataset> {
  const train = await readIdxSplit(folder, "train", name, classes.length);
  const test = await readIdxSplit(folder, "t10k", name, classes.length);
  if (train.height !== test.height || train.width !== test.width)
    throw new NetpareError(
      "bad-data",
      `${folder}: training images are ${train.height}x${train.width}, test images ${test.height}x${test.width}`,
    );
  const { height, width } = train;
  const preprocessing = { scale: 1 / 255, mean: [0], std: [1], channels: "grey" as const };
  return { name, classes, channels: 1, height, width, train: train.split, test: test.split, preprocessing };
}

async function readIdxSplit(folder: string, prefix: string, name: string, classes: number) {
  const imagesPath = await findIdx(folder, `${prefix}-images`, 3, name);
  const labelsPath = await findIdx(folder, `${prefix}-labels`, 1, name);
  const images = await readIdx(imagesPath, 3);
  const labels = await readIdx(labelsPath, 1);
  const [length = 0, height = 0, width = 0] = images.shape;
  if (length === 0 || height === 0 || width === 0)
    throw new NetpareError("bad-data", `${imagesPath}: it holds no pixels (${images.shape.join("x")})`);
  if (labels.shape[0] !== length)
    throw new NetpareError(
      "bad-data",
      `${labelsPath}: ${labels.shape[0]} labels for ${length} images in ${imagesPath}`,
    );
  checkLabels(labels.data, classes, labelsPath);
  const split: Split = { images: shareImages(images.data), labels: Uint16Array.from(labels.data), length };
  return { split, height, width };
}

/** Both spellings in circulation are found: `train-images-idx3-ubyte` and `train-images.idx3-ubyte`. */
async function findIdx(folder: string, stem: string, rank: number, name: string): Promise<string> {
  const plain = `${stem}-idx${rank}-ubyte`;
  for (const file of [plain, `${plain}.gz`, `${stem}.idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte.gz`]) {
    const path = join(folder, file);
    if (await isFile(path)) return path;
  }
  throw new NetpareError(
    "bad-data",
    `${join(folder, plain)} (or .gz) is missing; give ${name}: the folder that holds the four IDX files`,
  );
}

function parseHeader(bytes: Uint8Array, rank: number, path: string): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const expected = 0x0800 + rank;
  if (bytes.length < 4 + 4 * rank)
    throw new NetpareError("bad-data", `${path}: an IDX header has ${4 + 4 * rank} bytes, found ${bytes.length}`);
  const magic = view.getUint32(0);
  if (magic !== expected)
    throw new NetpareError(
      "bad-data",
      `${path}: IDX magic 0x${hex(expected)} was expected (bytes, ${rank} axes), found 0x${hex(magic)}`,
    );
  return Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}

/** What the first 4 KB inflate to: at most about 4 MB, deflate's largest ratio being 1032. */
function inflateStart(file: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(file.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw new NetpareError("bad-data", `${path}: not a valid gzip file`, { cause });
  }
}

function inflate(file: Uint8Array, expected: number, path: string): Uint8Array {
  try {
    return gunzipSync(file, { maxOutputLength: expected });
  } catch (cause) {
    throw new NetpareError(
      "bad-data",
      `${path}: does not gunzip to the ${expected} bytes its header announces; the file is truncated or damaged`,
      { cause },
    );
  }
}
