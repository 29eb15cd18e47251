/** Labelled images on which methods run graphs: a seeded choice from a split, fed as the network wants them. */
import { createBatcher } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { selectSplit, takeSplit } from "../data/split.ts";
import { feeds, type Graph } from "../graph/graph.ts";
import type { Samples } from "../methods/define-method.ts";
import { createRandom } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { createBreath } from "./breath.ts";
import { evaluateModel, type ImageFormat } from "./evaluate.ts";
import { openSession } from "./session.ts";

export interface SamplesOptions extends ImageFormat {
  /** Fixes which images are taken, and their order. */
  readonly seed: number;
  /** How many images at most; all of them where left out. */
  readonly limit?: number | undefined;
  /** Threads within an operator; 2 where left out. */
  readonly threads?: number | undefined;
  /** Images a run, unless the graph fixes it; 64 where left out. */
  readonly batch?: number | undefined;
}

/** Samples of `images`. `run` leaves out a remainder that does not fill a batch which the graph fixes. */
export function createSamples(images: Split, options: SamplesOptions): Samples {
  const { storedShape, preprocessing, threads = 2 } = options;
  const classes = Math.max(1, options.classes);
  const count = Math.min(options.limit ?? images.length, images.length);
  const order = createRandom(options.seed).permutation(images.length).subarray(0, count);
  const split = selectSplit(images, order);
  const [channels, height, width] = storedShape;
  const prefix = (limit = count) => takeSplit(split, limit);
  return {
    count,
    classes,
    async run(graph, visit, limit) {
      const part = prefix(limit);
      const batcher = createBatcher(part, { channels, height, width, preprocessing, mixLabels: { classes } });
      const { pixels, targets, batch } = samplesInputs(graph);
      const size = batch ?? Math.min(options.batch ?? 64, part.length);
      const breath = createBreath();
      const session = await openSession(graph, { threads });
      try {
        for (let at = 0; at < part.length; at += size) {
          const n = Math.min(size, part.length - at);
          if (n < size && batch !== undefined) break;
          const fed = new Map<string, Tensor>();
          const imageBatch = tensor("float32", [n, ...batcher.imageShape]);
          const labels = tensor("float32", [n, classes]);
          const indices = Uint32Array.from({ length: n }, (_, i) => at + i);
          batcher.fill(indices, null, imageBatch.data, labels.data);
          fed.set(pixels, imageBatch);
          if (targets !== undefined) fed.set(targets, labels);
          visit(await session.run(fed));
          await breath();
        }
      } finally {
        await session.release();
      }
    },
    async accuracy(graph, limit) {
      const { top1 } = await evaluateModel(graph, prefix(limit), {
        classes: options.classes,
        storedShape,
        preprocessing,
        threads,
      });
      return top1;
    },
  };
}

function samplesInputs(graph: Graph): { pixels: string; targets: string | undefined; batch: number | undefined } {
  const inputs = feeds(graph);
  const pixels = inputs.find(({ name }) => name !== "targets");
  if (pixels === undefined) throw new Error("internal: the graph has no input for images");
  const batch = pixels.shape?.[0];
  return {
    pixels: pixels.name,
    targets: inputs.find(({ name }) => name === "targets")?.name,
    batch: typeof batch === "number" ? batch : undefined,
  };
}
