/** The worker that runs a training loop and posts its progress. */
import { parentPort, workerData } from "node:worker_threads";
import { NetpareError } from "../tensor/error.ts";
import { runTraining, type TrainingJob } from "./train-loop.ts";

/** What the worker posts. */
export type TrainingMessage =
  | { readonly kind: "progress"; readonly progress: Parameters<Parameters<typeof runTraining>[1]>[0] }
  | { readonly kind: "done"; readonly outcome: Awaited<ReturnType<typeof runTraining>> }
  | {
      readonly kind: "failed";
      readonly code: NetpareError["code"] | undefined;
      readonly message: string;
      readonly stack: string | undefined;
    };

const post = (message: TrainingMessage) => parentPort?.postMessage(message);

try {
  const outcome = await runTraining(workerData as TrainingJob, (progress) => post({ kind: "progress", progress }));
  post({ kind: "done", outcome });
} catch (error) {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  post({ kind: "failed", code: error instanceof NetpareError ? error.code : undefined, message, stack });
}
