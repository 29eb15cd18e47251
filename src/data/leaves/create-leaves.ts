/**
 * The built-in pictures: dead leaves, drawn by code, seeded and endless, with the statistics of photographs but without classes. They
 * show whether two networks answer alike, and let post-training methods see what layers compute, where there is no data at hand.
 * Train and test come from different streams. Their labels are all 0 and mean nothing: `classes` is empty.
 */
import { NetpareError } from "../../tensor/error.ts";
import { createRandom, type Random } from "../../tensor/random.ts";
import { MAX_DATA_BYTES } from "../data-file.ts";
import { allocateImages, type Dataset, type Split } from "../dataset.ts";
import { createNoiseTile } from "./noise.ts";
import { createLeavesPainter } from "./paint-leaves.ts";

/** How many pictures `(channels, size, size)`; the first n of a split do not depend on how many follow. */
export interface LeavesOptions {
  readonly size: number;
  readonly channels: 1 | 3;
  readonly trainSamples: number;
  readonly testSamples: number;
  readonly seed: number;
  /** Called after every 16 pictures and at the end. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Tiles of noise that surfaces share. */
const tileCount = 6;

/**
 * Draws the data set, with a turn of the event loop now and then, so that timers and signals are heard.
 * @throws NetpareError bad-option for a number of pictures that is no whole number or does not fit in memory.
 */
export async function createLeaves(options: LeavesOptions): Promise<Dataset> {
  const { size, channels, trainSamples, testSamples, seed, onProgress } = options;
  const random = createRandom(seed);
  const tiles = Array.from({ length: tileCount }, (_, i) => createNoiseTile(random.fork(2 + i)));
  const total = trainSamples + testSamples;
  const draw = (length: number, key: number, before: number) =>
    drawSplit(length, options, tiles, random.fork(key), (done) => onProgress?.(before + done, total));
  return {
    name: "leaves",
    classes: [],
    channels,
    height: size,
    width: size,
    train: await draw(trainSamples, 0, 0),
    test: await draw(testSamples, 1, trainSamples),
    preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.5], channels: channels === 1 ? "grey" : "rgb" },
  };
}

async function drawSplit(
  length: number,
  { size, channels }: LeavesOptions,
  tiles: readonly Float32Array[],
  random: Random,
  onDone: (done: number) => void,
): Promise<Split> {
  const plane = size * size;
  const most = Math.floor(MAX_DATA_BYTES / (channels * plane));
  if (!(Number.isInteger(length) && length >= 0 && length <= most))
    throw new NetpareError(
      "bad-option",
      `0 to ${most} pictures of ${channels * plane} bytes were expected in a split, found ${length}`,
    );
  const paint = createLeavesPainter(size, tiles);
  const images = allocateImages(length * channels * plane);
  const color = new Uint8Array(3 * plane);
  for (let i = 0; i < length; i++) {
    paint(random.fork(i), color, 0);
    if (channels === 3) images.set(color, i * 3 * plane);
    else images.set(lumaOf(color), i * plane);
    if ((i + 1) % 16 !== 0 && i + 1 !== length) continue;
    onDone(i + 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { images, labels: new Uint16Array(length), length };
}

/** BT.601's luma of `(3, H, W)`, as in `createBatcher`. */
function lumaOf(color: Uint8Array): Uint8Array {
  const plane = color.length / 3;
  return Uint8Array.from({ length: plane }, (_, i) =>
    Math.round(0.299 * color[i]! + 0.587 * color[i + plane]! + 0.114 * color[i + 2 * plane]!),
  );
}
