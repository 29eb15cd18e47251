/** Accuracy on a validation split during training, of parameters that are handed in. */
import { createBatcher } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { Session } from "./session.ts";
import type { TrainingJob } from "./train-loop.ts";

/** Share of `split` that the network gets right with `parameters`; `session` holds the job's forward model. */
export async function validate(
  job: TrainingJob,
  session: Session,
  parameters: ReadonlyMap<string, Tensor>,
  split: Split,
): Promise<number> {
  const [channels, height, width] = job.storedShape;
  const batcher = createBatcher(split, { channels, height, width, preprocessing: job.preprocessing });
  const [fixedBatch, ...imageDims] = job.step.imageDims;
  const batch = fixedBatch!;
  const labels = new Int32Array(batch);
  let correct = 0;
  for (let at = 0; at < split.length; at += batch) {
    const n = Math.min(batch, split.length - at);
    const images = tensor("float32", [n, ...imageDims]);
    const indices = Uint32Array.from({ length: n }, (_, i) => at + i);
    batcher.fill(indices, null, images.data, labels);
    const outputs = await session.run(new Map([...parameters, [job.forward.images, images]]), [job.forward.scores]);
    const scores = outputs.get(job.forward.scores)!.data as Float32Array;
    for (let i = 0; i < n; i++) if (argMax(scores, i * job.classes, job.classes) === labels[i]) correct++;
  }
  return correct / split.length;
}

/** Position of the largest of `length` values from `from`, counted from there. */
function argMax(values: ArrayLike<number>, from: number, length: number): number {
  let best = 0;
  for (let k = 1; k < length; k++) if (values[from + k]! > values[from + best]!) best = k;
  return best;
}
