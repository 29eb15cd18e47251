/**
 * A training's checkpoint: the states, the step and the curve so far, written beside and renamed, so that a kill at any moment
 * leaves the old one or the new one. It belongs to one job, known by its fingerprint.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { deserialize, serialize } from "node:v8";
import { writeWhole } from "../files/write-whole.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TrainingPoint } from "./train-loop.ts";

/** Where a training stands after a step: all that its further course depends on, and what it has gathered. */
export interface Standing {
  /** Steps done. */
  readonly step: number;
  readonly states: ReadonlyMap<string, Tensor>;
  /** Loss of the last step and of the first. */
  readonly loss: number;
  readonly firstLoss: number | undefined;
  /** Sums since the epoch began. */
  readonly epoch: { readonly steps: number; readonly loss: number; readonly correct: number };
  readonly curve: readonly TrainingPoint[];
  /** The network's parameters at the end of each cycle so far, where they are kept. */
  readonly snapshots: readonly ReadonlyMap<string, Tensor>[];
  /** The epoch of the highest validation accuracy, where the best is to be selected. */
  readonly best: {
    readonly epoch: number;
    readonly validationAccuracy: number;
    readonly parameters: ReadonlyMap<string, Tensor>;
  } | null;
  readonly seconds: number;
  /** Undefined where the machine's energy counters were not readable. */
  readonly joules: number | undefined;
}

export interface Checkpoint extends Standing {
  readonly fingerprint: string;
}

const magic = "netpare-checkpoint-3";

/** Identifies what a training depends on: the step's bytes and the options. */
export function fingerprintOf(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Removes what a kill in the midst of writing left beside the checkpoint `file`. */
export function removeTorn(file: string): void {
  const [folder, prefix] = [path.dirname(file), `${path.basename(file)}.`];
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (name.startsWith(prefix) && name.endsWith(".part")) rmSync(path.join(folder, name), { force: true });
}

/** Whether there is a checkpoint in `file`. */
export const checkpointExists = (file: string): boolean => existsSync(file);

/** Writes a checkpoint whole or not at all. @throws NetpareError `io` where it cannot be written. */
export async function writeCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const body = serialize({ magic, ...checkpoint });
  await writeWhole(file, Buffer.concat([createHash("sha256").update(body).digest(), body]));
}

/**
 * The checkpoint in `file`, undefined where there is none.
 * @throws NetpareError `bad-data` where it is damaged, `bad-option` where it belongs to another training.
 */
export function readCheckpoint(file: string, fingerprint: string): Checkpoint | undefined {
  if (!existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  const body = bytes.subarray(32);
  if (bytes.length < 32 || !createHash("sha256").update(body).digest().equals(bytes.subarray(0, 32)))
    throw new NetpareError("bad-data", `the checkpoint '${file}' is damaged; remove it to start again`);
  const found = deserialize(body) as Checkpoint & { readonly magic: string };
  if (found.magic !== magic || found.fingerprint !== fingerprint)
    throw new NetpareError(
      "bad-option",
      `the checkpoint '${file}' belongs to a training with other options or another model; remove it to start again`,
    );
  return found;
}
