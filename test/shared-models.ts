/**
 * Published models that tests read and the repository does not hold: `data/models/` in the folder that the environment variable
 * NETPARE_SHARED names, `../shared` beside the repository where it is not set.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Graph } from "../src/graph/graph.ts";
import { readModel } from "../src/onnx/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(process.env.NETPARE_SHARED ?? join(root, "../shared"), "data/models");

/** Whether the models are there; tests that need them say so in their names and are skipped where not. */
export const haveSharedModels = existsSync(folder);

/** The names of all of them. */
export const sharedModelNames = [
  "cifar10_distiller_resnet20_dense",
  "cifar10_resnet32",
  "emotion_mini_xception_fer2013",
  "mlperftiny_resnet8_cifar10",
  "mnist-8",
  "squeezenet_v1.1",
] as const;

/** What such a test's name says. */
export const needsShared = "(needs NETPARE_SHARED)";

/** Where a published model lies, by its file's name without the ending. */
export function sharedModelFile(name: string): string {
  return join(folder, `${name}.onnx`);
}

/** A published model. */
export async function sharedModel(name: string): Promise<Graph> {
  return readModel(sharedModelFile(name));
}
