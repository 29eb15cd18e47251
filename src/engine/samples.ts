/** Labelled images on which methods run graphs: a seeded choice from a split, fed as the network wants them. */
import { createBatcher } from "../data/batches.ts";
import { selectSplit, takeSplit } from "../data/split.ts";
import { feeds, type Graph } from "../graph/graph.ts";
import type { Samples } from "../methods/define-method.ts";
import { createRandom } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type EvaluationData, evaluateModel } from "./evaluate.ts";
import { openSession } from "./session.ts";

export interface SamplesOptions {
  /** Fixes which images are taken, and their order. */
  readonly seed: number;
  /** How many images at most; all of them where left out. */
  readonly limit?: number | undefined;
  /** Threads within an operator; 2 where left out. */
  readonly threads?: number | undefined;
  /** Images a run, unless the graph fixes it; 64 where left out. */
  readonly batch?: number | undefined;
}

/**
 * Samples of `data`. `run` leaves out a remainder that does not fill a batch which the graph fixes.
 */
export function createSamples(data: EvaluationData, options: SamplesOptions): Samples {
  const count = Math.min(options.limit ?? data.split.length, data.split.length);
  const order = createRandom(options.seed).permutation(data.split.length).subarray(0, count);
  const split = selectSplit(data.split, order);
  const [channels, height, width] = data.storedShape;
  const threads = options.threads ?? 2;
  const prefix = (limit = count) => takeSplit(split, limit);
  return {
    count,
    classes: data.classes,
    async run(graph, visit, limit) {
      const part = prefix(limit);
      const smoothing = { classes: data.classes };
      const { preprocessing } = data;
      const batcher = createBatcher(part, { channels, height, width, preprocessing, mixLabels: smoothing });
      const { images, targets, batch } = samplesInputs(graph);
      const size = batch ?? Math.min(options.batch ?? 64, part.length);
      const session = await openSession(graph, { threads });
      try {
        for (let at = 0; at < part.length; at += size) {
          const n = Math.min(size, part.length - at);
          if (n < size && batch !== undefined) break;
          const fed = new Map<string, Tensor>();
          const imageBatch = tensor("float32", [n, ...batcher.imageShape]);
          const labels = tensor("float32", [n, data.classes]);
          const indices = Uint32Array.from({ length: n }, (_, i) => at + i);
          batcher.fill(indices, null, imageBatch.data, labels.data);
          fed.set(images, imageBatch);
          if (targets !== undefined) fed.set(targets, labels);
          visit(await session.run(fed));
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        await session.release();
      }
    },
    accuracy: async (graph, limit) => (await evaluateModel(graph, { ...data, split: prefix(limit) }, { threads })).top1,
  };
}

function samplesInputs(graph: Graph): { images: string; targets: string | undefined; batch: number | undefined } {
  const inputs = feeds(graph);
  const images = inputs.find(({ name }) => name !== "targets");
  if (images === undefined) throw new Error("internal: the graph has no input for images");
  const batch = images.shape?.[0];
  return {
    images: images.name,
    targets: inputs.find(({ name }) => name === "targets")?.name,
    batch: typeof batch === "number" ? batch : undefined,
  };
}
