/**
 * A folder per class, the folder's name being the class: `DIR/train/CLASS/*` and `DIR/test/CLASS/*`, or `DIR/CLASS/*` with
 * a seeded split that takes the same share of every class. Any format sharp decodes (PNG, JPEG, WebP, GIF, TIFF, AVIF).
 * Images are turned upright (EXIF), laid on white where transparent, and cut centrally to one size.
 * Hidden files and the desktop's own are passed over; any other file that is no image is an error.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { NetpareError } from "../tensor/error.ts";
import { createRandom } from "../tensor/random.ts";
import { isFolder, MAX_DATA_BYTES } from "./data-file.ts";
import { allocateImages, type Dataset, type Split } from "./dataset.ts";
import { loadSharp } from "./load-sharp.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { stratify } from "./split.ts";

/** How a folder of images becomes a data set; what is absent is read off the first image. */
export interface ImageFolderOptions {
  readonly height?: number | undefined;
  readonly width?: number | undefined;
  readonly channels?: 1 | 3 | undefined;
  /** Share of every class that becomes the test split where there are no train and test folders; default 0.2. */
  readonly testShare?: number | undefined;
  /** Seed of that split; default 0. */
  readonly seed?: number | undefined;
  /** The split that is wanted; the other comes empty. */
  readonly only?: "train" | "test" | undefined;
  /** Called as images are decoded. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

interface LabelledFile {
  readonly path: string;
  readonly label: number;
}

interface ImageShape {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
}

const PASSED_OVER = new Set(["thumbs.db", "desktop.ini"]);
const DECODED_AT_ONCE = 8;

/** Mean and standard deviation of ImageNet's training images; the grey ones follow from BT.601's weights. */
const IMAGENET: Record<1 | 3, Preprocessing> = {
  1: { scale: 1 / 255, mean: [0.459], std: [0.226], channels: "grey" },
  3: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], channels: "rgb" },
};

/**
 * Reads `folder`.
 * @throws NetpareError bad-data for no images, an empty class, classes that differ between train and test, or a file that
 * cannot be decoded.
 */
export async function readImageFolder(folder: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  const { classes, train, test } = await listSplits(folder, options);
  const shape = await resolveShape(train[0]!.path, options);
  const wanted = { train: options.only === "test" ? [] : train, test: options.only === "train" ? [] : test };
  const total = wanted.train.length + wanted.test.length;
  const bytes = Math.max(train.length, test.length) * shape.channels * shape.height * shape.width;
  if (bytes > MAX_DATA_BYTES)
    throw new NetpareError(
      "bad-data",
      `${folder}: ${total} images of ${shape.channels}x${shape.height}x${shape.width} do not fit in memory; give a smaller size`,
    );
  let done = 0;
  const onImage = () => options.onProgress?.(++done, total);
  return {
    name: "images",
    classes,
    ...shape,
    train: await decodeSplit(wanted.train, shape, onImage),
    test: await decodeSplit(wanted.test, shape, onImage),
    preprocessing: IMAGENET[shape.channels],
  };
}

async function listSplits(folder: string, options: ImageFolderOptions) {
  if (!(await isFolder(folder)))
    throw new NetpareError(
      "bad-data",
      `${folder} is missing or no folder; give images: a folder that holds one per class`,
    );
  const inner = new Set(await listFolders(folder));
  if (inner.has("train") !== inner.has("test")) {
    const [found, missing] = inner.has("train") ? ["train", "test"] : ["test", "train"];
    throw new NetpareError("bad-data", `${join(folder, missing)} is missing beside ${found}; give both or neither`);
  }
  if (inner.has("train")) {
    const train = await listClasses(join(folder, "train"));
    const test = await listClasses(join(folder, "test"));
    const differing =
      train.classes.find((name) => !test.classes.includes(name)) ??
      test.classes.find((name) => !train.classes.includes(name));
    if (differing !== undefined)
      throw new NetpareError("bad-data", `${folder}: class '${differing}' is in only one of train and test`);
    return { classes: train.classes, train: train.files, test: test.files };
  }
  const { classes, files } = await listClasses(folder);
  const labels = files.map((file) => file.label);
  const alone = classes.findIndex((_, label) => labels.filter((other) => other === label).length < 2);
  if (alone >= 0)
    throw new NetpareError("bad-data", `${join(folder, classes[alone]!)} holds one image, a split needs two or more`);
  const { rest, part } = stratify(labels, options.testShare ?? 0.2, createRandom(options.seed ?? 0));
  return { classes, train: rest.map((i) => files[i]!), test: part.map((i) => files[i]!) };
}

async function listFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries)
    if (
      !entry.name.startsWith(".") &&
      (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(folder, entry.name)))))
    )
      names.push(entry.name);
  return names.sort();
}

async function listClasses(folder: string): Promise<{ classes: string[]; files: LabelledFile[] }> {
  const classes = await listFolders(folder);
  if (classes.length === 0)
    throw new NetpareError(
      "bad-data",
      `${folder} holds no class folders; put the images of each class in one of its own`,
    );
  const files: LabelledFile[] = [];
  for (const [label, name] of classes.entries()) {
    const place = join(folder, name);
    const entries = await readdir(place, { withFileTypes: true });
    const names = entries
      .filter(
        (entry) => !entry.isDirectory() && !entry.name.startsWith(".") && !PASSED_OVER.has(entry.name.toLowerCase()),
      )
      .map((entry) => entry.name)
      .sort();
    if (names.length === 0)
      throw new NetpareError("bad-data", `${place} holds no images; add some or remove the class folder`);
    for (const file of names) files.push({ path: join(place, file), label });
  }
  return { classes, files };
}

async function resolveShape(first: string, options: ImageFolderOptions): Promise<ImageShape> {
  const given = (value: number | undefined, name: string) => {
    if (value !== undefined && !(Number.isInteger(value) && value > 0 && value <= 16384))
      throw new NetpareError("bad-option", `${name} must be a whole number of pixels from 1 to 16384, found ${value}`);
    return value;
  };
  const height = given(options.height, "height") ?? given(options.width, "width");
  const width = given(options.width, "width") ?? given(options.height, "height");
  const sharp = await loadSharp();
  const metadata = await sharp(first)
    .metadata()
    .catch((cause: unknown) => refuse(first, cause));
  const grey = metadata.space === "b-w" || metadata.space === "grey16" || metadata.channels < 3;
  return {
    channels: options.channels ?? (grey ? 1 : 3),
    height: height ?? metadata.autoOrient.height,
    width: width ?? metadata.autoOrient.width,
  };
}

async function decodeSplit(files: readonly LabelledFile[], shape: ImageShape, onImage: () => void): Promise<Split> {
  const stride = shape.channels * shape.height * shape.width;
  const images = allocateImages(files.length * stride);
  for (let start = 0; start < files.length; start += DECODED_AT_ONCE) {
    const some = files.slice(start, start + DECODED_AT_ONCE);
    await Promise.all(
      some.map(async (file, offset) => {
        await decodeImage(file.path, shape, images.subarray((start + offset) * stride, (start + offset + 1) * stride));
        onImage();
      }),
    );
  }
  return { images, labels: Uint16Array.from(files, (file) => file.label), length: files.length };
}

/** Decodes one image into `out: (C, H, W)`; colour becomes grey by BT.601's luma, as in `createBatcher`. */
async function decodeImage(path: string, shape: ImageShape, out: Uint8Array): Promise<void> {
  const { channels, height, width } = shape;
  const plane = height * width;
  const sharp = await loadSharp();
  const pixels = await sharp(path, { failOn: "error" })
    .autoOrient()
    .flatten({ background: "#ffffff" })
    .resize(width, height, { fit: "cover" })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer()
    .catch((cause: unknown) => refuse(path, cause));
  if (pixels.length !== 3 * plane) throw new Error(`internal: ${path} decoded to ${pixels.length} bytes`);
  for (let i = 0; i < plane; i++) {
    const red = pixels[3 * i]!;
    const green = pixels[3 * i + 1]!;
    const blue = pixels[3 * i + 2]!;
    if (channels === 1) out[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else {
      out[i] = red;
      out[plane + i] = green;
      out[2 * plane + i] = blue;
    }
  }
}

function refuse(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : String(cause);
  throw new NetpareError("bad-data", `${path}: cannot be decoded as an image (${reason}); replace or remove it`, {
    cause,
  });
}
