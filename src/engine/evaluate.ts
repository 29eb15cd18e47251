/**
 * Accuracy and loss of a network over a split.
 * loss = mean of `-log softmax(z)_y`, z being the scores before a final Softmax where there is one; top-k counts an image right
 * where fewer than k classes score higher than its own (or equal with a lower index).
 */
import { type Logits, logitsOf } from "../autodiff/losses.ts";
import { createBatcher } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { takeSplit } from "../data/split.ts";
import type { Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { sizeOf } from "../tensor/shape.ts";
import { castTensor, type Tensor, tensor } from "../tensor/tensor.ts";
import { createBreath } from "./breath.ts";
import { fitImages } from "./image-input.ts";
import { openModel } from "./open-model.ts";

/** What a split holds, and how a network wants it. */
export interface ImageFormat {
  /** 0 where labels mean nothing: the network says how many there are, and accuracy and loss are no figures then. */
  readonly classes: number;
  /** `(C, H, W)` of the stored images. */
  readonly storedShape: readonly [number, number, number];
  readonly preprocessing: Preprocessing;
}

export interface EvaluationOptions extends ImageFormat {
  /** The file that holds the graph: it is run as it is, instead of the graph encoded again. */
  readonly file?: string | undefined;
  /** Threads within an operator; 2 where left out. */
  readonly threads?: number | undefined;
  /** Images a run, unless the model fixes it; up to 250, fewer of large ones, where left out. */
  readonly batch?: number | undefined;
  /** Only the first so many images. */
  readonly limit?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an evaluation gives; shares are fractions. */
export interface Evaluation {
  readonly samples: number;
  readonly correct: number;
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  /** The class named for each image. */
  readonly predictions: Uint16Array;
}

/**
 * Evaluates `graph` on `images`.
 * @throws NetpareError where model and data do not fit, `bad-data` where there is no image, `diverged` where a score is NaN.
 */
export async function evaluateModel(graph: Graph, images: Split, options: EvaluationOptions): Promise<Evaluation> {
  const { classes, storedShape, preprocessing } = options;
  const split = takeSplit(images, options.limit ?? images.length);
  if (split.length === 0) throw new NetpareError("bad-data", "there is no image to evaluate on");
  const [channels, height, width] = storedShape;
  const input = fitImages(graph, storedShape, preprocessing);
  const batcher = createBatcher(split, { channels, height, width, preprocessing });
  const batch = input.batch ?? Math.min(options.batch ?? usualBatch(batcher.imageShape), split.length);
  const output = graph.outputs[0]!.name;
  const form = logitsOf(graph).output;
  const breath = createBreath();
  const tally = createTally(split.length);
  const session = await openModel(options.file ?? graph, { threads: options.threads ?? 2 });
  try {
    const full = tensor("float32", [batch, ...batcher.imageShape]);
    const labels = new Int32Array(batch);
    for (let at = 0; at < split.length && !options.signal?.aborted; at += batch) {
      const n = Math.min(batch, split.length - at);
      const fed = n === batch || input.batch !== undefined ? full : tensor("float32", [n, ...batcher.imageShape]);
      batcher.fill(
        Uint32Array.from({ length: n }, (_, i) => at + i),
        null,
        fed.data,
        labels,
      );
      const scores = (await session.run(new Map([[input.name, fed]]), [output])).get(output)!;
      const given = classes || scores.data.length / fed.shape[0]!;
      checkScores(scores, fed.shape[0]!, given);
      tally.add(castTensor(scores, "float32").data, given, form, labels, n);
      options.onProgress?.(at + n, split.length);
      await breath();
    }
    return tally.result();
  } finally {
    await session.release();
  }
}

/** As many images as make about a million floats: beyond that onnxruntime gains no more. */
function usualBatch(imageShape: readonly number[]): number {
  return Math.max(1, Math.min(250, Math.floor(2 ** 20 / sizeOf(imageShape))));
}

function checkScores(scores: Tensor, images: number, classes: number): void {
  if (scores.data.length !== images * classes)
    throw new NetpareError(
      "bad-shape",
      `the model gives ${scores.data.length / images} scores an image and the data has ${classes} classes; give the data it was made for`,
    );
}

/** Counts what scores `(n, classes)` say against labels, batch after batch. */
function createTally(length: number) {
  const predictions = new Uint16Array(length);
  let samples = 0;
  let correct = 0;
  let inTop5 = 0;
  let loss = 0;
  return {
    add(scores: Float32Array, classes: number, form: Logits["output"], labels: Int32Array, n: number): void {
      for (let i = 0; i < n; i++) {
        const from = i * classes;
        const label = labels[i]!;
        const own = scores[from + label]!;
        let best = 0;
        let above = 0;
        for (let k = 0; k < classes; k++) {
          const score = scores[from + k]!;
          if (Number.isNaN(score))
            throw new NetpareError(
              "diverged",
              `the model gives NaN for image ${samples}; its weights or preprocessing are wrong`,
            );
          if (score > scores[from + best]!) best = k;
          if (score > own || (score === own && k < label)) above++;
        }
        predictions[samples++] = best;
        if (best === label) correct++;
        if (above < 5) inTop5++;
        loss += sampleLoss(scores, from, classes, own, form);
      }
    },
    result: (): Evaluation => ({
      samples,
      correct,
      top1: correct / samples,
      top5: inTop5 / samples,
      loss: loss / samples,
      predictions: predictions.subarray(0, samples),
    }),
  };
}

function sampleLoss(scores: Float32Array, from: number, classes: number, own: number, form: Logits["output"]): number {
  if (form === "log-probabilities") return -own;
  if (form === "probabilities") return -Math.log(Math.max(own, 1e-38));
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = from; k < from + classes; k++) largest = Math.max(largest, scores[k]!);
  let sum = 0;
  for (let k = from; k < from + classes; k++) sum += Math.exp(scores[k]! - largest);
  return largest + Math.log(sum) - own;
}

/** Share of images to which two evaluations give the same class. */
export function agreementOf(a: Uint16Array, b: Uint16Array): number {
  if (a.length !== b.length) throw new Error(`internal: ${a.length} predictions beside ${b.length}`);
  let same = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) same++;
  return same / a.length;
}

/**
 * Wilson's score interval for `correct` of `samples` (Wilson 1927): `(p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n)`, at 95 %
 * where `z` is left out.
 */
export function wilsonInterval(correct: number, samples: number, z = 1.959963984540054): [number, number] {
  const p = correct / samples;
  const spread = z * Math.sqrt((p * (1 - p)) / samples + z ** 2 / (4 * samples ** 2));
  const centre = p + z ** 2 / (2 * samples);
  const scale = 1 + z ** 2 / samples;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}
