/**
 * A training's checkpoint: the states, the step and the curve so far, written beside and renamed, so that a kill at any moment
 * leaves the old one or the new one. It belongs to one job, known by its fingerprint.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { DefaultDeserializer, DefaultSerializer } from "node:v8";
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

const magic = "netpare-checkpoint-4";

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

/** Structured clones whose arrays of float32 stay where they are: `pieces`, in the order in which they are met. */
class PiecesSerializer extends DefaultSerializer {
  readonly pieces: Uint8Array[] = [];

  _writeHostObject(view: unknown): void {
    if (!(view instanceof Float32Array)) throw new Error("internal: a checkpoint holds an array that is not float32");
    this.writeUint32(view.byteLength);
    this.pieces.push(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
}

class PiecesDeserializer extends DefaultDeserializer {
  private at = 0;

  /** @param pieces - what `PiecesSerializer` left where it was, end to end */
  constructor(
    head: Uint8Array,
    private readonly pieces: Uint8Array,
  ) {
    super(head);
  }

  _readHostObject(): Float32Array {
    const from = this.at;
    this.at += this.readUint32();
    return new Float32Array(Uint8Array.from(this.pieces.subarray(from, this.at)).buffer);
  }
}

/**
 * Writes a checkpoint whole or not at all: a SHA-256 of the rest, the length of the clone, the clone, its arrays.
 * @throws NetpareError `io` where it cannot be written.
 */
export async function writeCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const serializer = new PiecesSerializer();
  serializer.writeHeader();
  serializer.writeValue({ magic, ...checkpoint });
  const head = serializer.releaseBuffer();
  const rest = [Buffer.from(Uint32Array.of(head.length).buffer), head, ...serializer.pieces];
  const digest = createHash("sha256");
  for (const piece of rest) digest.update(piece);
  await writeWhole(file, [digest.digest(), ...rest]);
}

/**
 * The checkpoint in `file`, undefined where there is none.
 * @throws NetpareError `bad-data` where it is damaged, `bad-option` where it belongs to another training.
 */
export function readCheckpoint(file: string, fingerprint: string): Checkpoint | undefined {
  if (!existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  if (!createHash("sha256").update(bytes.subarray(32)).digest().equals(bytes.subarray(0, 32)))
    throw new NetpareError("bad-data", `the checkpoint '${file}' is damaged; remove it to start again`);
  const found = decodeCheckpoint(bytes);
  if (found?.magic !== magic || found.fingerprint !== fingerprint)
    throw new NetpareError(
      "bad-option",
      `the checkpoint '${file}' belongs to a training with other options or another model; remove it to start again`,
    );
  return found;
}

/** The checkpoint in a file's bytes; undefined where it is that of another version. */
export function decodeCheckpoint(bytes: Buffer): (Checkpoint & { readonly magic: string }) | undefined {
  try {
    const piecesAt = 36 + bytes.readUInt32LE(32);
    const deserializer = new PiecesDeserializer(bytes.subarray(36, piecesAt), bytes.subarray(piecesAt));
    deserializer.readHeader();
    return deserializer.readValue() as Checkpoint & { readonly magic: string };
  } catch {
    return undefined;
  }
}
