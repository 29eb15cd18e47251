/**
 * The built-in data set: facial expressions drawn by code, seeded and endless. Train and test come from different streams,
 * so that no person is in both. Every run of eight images holds each class once, in random order.
 */
import { NetpareError } from "../../tensor/error.ts";
import { createRandom, type Random } from "../../tensor/random.ts";
import { MAX_DATA_BYTES } from "../data-file.ts";
import { allocateImages, type Dataset, type Split } from "../dataset.ts";
import { createFacePainter, type FaceFormat } from "./draw-face.ts";
import { EXPRESSIONS } from "./expression.ts";

/** How many faces of which format; the first n images of a split do not depend on how many follow. */
export interface FacesOptions extends FaceFormat {
  readonly trainSamples: number;
  readonly testSamples: number;
  readonly seed: number;
  /** Called after every 256 faces and at the end. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Draws the data set.
 * @throws NetpareError bad-option for a number of faces that is no whole number or does not fit in memory.
 */
export function createFaces(options: FacesOptions): Dataset {
  const drawing = drawFaces(options);
  for (;;) {
    const { done, value } = drawing.next();
    if (done) return value;
  }
}

/** As `createFaces`, with a turn of the event loop now and then, so that timers and signals are heard. */
export async function createFacesInTurns(options: FacesOptions): Promise<Dataset> {
  const drawing = drawFaces(options);
  for (;;) {
    const { done, value } = drawing.next();
    if (done) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Draws the data set and pauses after every 256 faces. */
function* drawFaces(options: FacesOptions): Generator<undefined, Dataset> {
  const { size, channels, trainSamples, testSamples, seed, onProgress } = options;
  const random = createRandom(seed);
  const total = trainSamples + testSamples;
  return {
    name: "faces",
    classes: EXPRESSIONS,
    channels,
    height: size,
    width: size,
    train: yield* drawSplit(trainSamples, options, random.fork(0), (done) => onProgress?.(done, total)),
    test: yield* drawSplit(testSamples, options, random.fork(1), (done) => onProgress?.(trainSamples + done, total)),
    preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.5], channels: channels === 1 ? "grey" : "rgb" },
  };
}

function* drawSplit(
  length: number,
  format: FaceFormat,
  random: Random,
  onDone: (done: number) => void,
): Generator<undefined, Split> {
  const stride = format.channels * format.size * format.size;
  const most = Math.floor(MAX_DATA_BYTES / stride);
  if (!(Number.isInteger(length) && length >= 0 && length <= most))
    throw new NetpareError(
      "bad-option",
      `0 to ${most} faces of ${stride} bytes were expected in a split, found ${length}`,
    );
  const paintFace = createFacePainter({ size: format.size, channels: format.channels });
  const images = allocateImages(length * stride);
  const labels = new Uint16Array(length);
  let order = random.permutation(EXPRESSIONS.length);
  for (let i = 0; i < length; i++) {
    const turn = i % EXPRESSIONS.length;
    if (i > 0 && turn === 0) order = random.permutation(EXPRESSIONS.length);
    const label = order[turn]!;
    labels[i] = label;
    paintFace(EXPRESSIONS[label]!, random, images, i * stride);
    if ((i + 1) % 256 !== 0 && i + 1 !== length) continue;
    onDone(i + 1);
    yield;
  }
  return { images, labels, length };
}
