/** A file that holds tensors while the memory they took is needed for others; it has no name, so that a kill leaves nothing. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { NetpareError } from "../tensor/error.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

export interface OffloadFile {
  /** Writes a tensor; one of the same name and size takes its place. @throws NetpareError `io` where the disk is full. */
  write(name: string, tensor: Tensor): void;
  /** Reads a tensor back. */
  read(name: string): Tensor;
  close(): void;
}

interface Slot {
  readonly at: number;
  readonly tensor: Pick<Tensor, "dtype" | "shape">;
}

/** Opens an empty file in `directory`. @throws NetpareError `io` where nothing can be written there. */
export function openOffloadFile(directory: string): OffloadFile {
  const file = openNameless(directory);
  const slots = new Map<string, Slot>();
  let end = 0;
  return {
    write(name, { dtype, shape, data }) {
      const slot = slots.get(name) ?? { at: end, tensor: { dtype, shape } };
      if (!slots.has(name)) end += data.byteLength;
      slots.set(name, slot);
      const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
      try {
        whole(bytes.length, (done) => writeSync(file, bytes, done, bytes.length - done, slot.at + done));
      } catch (error) {
        throw new NetpareError(
          "io",
          `the offloaded values do not fit into '${directory}': ${(error as Error).message}; free some space, or use the policy recompute`,
        );
      }
    },
    read(name) {
      const slot = slots.get(name);
      if (slot === undefined) throw new Error(`internal: '${name}' was not offloaded`);
      const result = tensor(slot.tensor.dtype, slot.tensor.shape);
      const bytes = new Uint8Array(result.data.buffer as ArrayBuffer, result.data.byteOffset, result.data.byteLength);
      whole(bytes.length, (done) => readSync(file, bytes, done, bytes.length - done, slot.at + done));
      return result;
    },
    close: () => closeSync(file),
  };
}

function openNameless(directory: string): number {
  try {
    const folder = mkdtempSync(path.join(directory, "netpare-offload-"));
    const file = openSync(path.join(folder, "values"), "w+");
    rmSync(folder, { recursive: true });
    return file;
  } catch (error) {
    throw new NetpareError(
      "io",
      `values are offloaded to '${directory}', where no file can be made: ${(error as Error).message}; TMPDIR names another folder`,
    );
  }
}

/** Repeats a transfer, which may move less than it was asked to, until all is moved. */
function whole(length: number, transfer: (done: number) => number): void {
  for (let done = 0; done < length; ) {
    const moved = transfer(done);
    if (moved === 0) throw new Error(`only ${done} of ${length} bytes were moved`);
    done += moved;
  }
}
