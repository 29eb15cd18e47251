/** An evaluation as reports have it. */
import { type Evaluation, wilsonInterval } from "../engine/evaluate.ts";
import type { Stage } from "../report/schema.ts";

/** Accuracy with its interval at 95 %. */
export function accuracyOf({ samples, correct, top1, top5, loss }: Evaluation): Stage["accuracy"] {
  return { samples, correct, top1, top5, loss, interval: wilsonInterval(correct, samples) };
}
