/**
 * A training's checkpoint: the states, the step and the curve so far, written beside and renamed, so that a kill at any moment
 * leaves the old one or the new one. It belongs to one job, known by its fingerprint.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import { writeWhole } from "../files/write-whole.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TrainingPoint } from "./train-loop.ts";

export interface Checkpoint {
  readonly fingerprint: string;
  /** Steps done. */
  readonly step: number;
  readonly states: ReadonlyMap<string, Tensor>;
  readonly curve: readonly TrainingPoint[];
  /** Sums since the epoch began. */
  readonly epochLoss: number;
  readonly epochCorrect: number;
  readonly seconds: number;
  /** Undefined where the machine's energy counters were not readable. */
  readonly joules: number | undefined;
  /** The network's parameters at the end of each cycle so far. */
  readonly snapshots: readonly ReadonlyMap<string, Tensor>[];
}

const magic = "netpare-checkpoint-2";

/** Identifies what a training depends on: the step's bytes and the options. */
export function fingerprintOf(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

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
