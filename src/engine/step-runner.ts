/** Runs a training step: as one session, or range after range as a memory plan says, with what the plan offloads in a file. */
import { tmpdir } from "node:os";
import type { Range } from "../memory/ranges.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { openBlockedSession } from "./blocked-layout.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { openOffloadFile } from "./offload-file.ts";
import type { Session } from "./session.ts";

/** What runs a step: takes the values given to it and gives those that are wanted. */
export type StepRunner = Pick<Session, "run" | "release">;

/** The ranges of a step as models, and what to do with values around each; plain data that can be sent to a worker. */
export interface PlannedStep {
  readonly ranges: readonly (Pick<Range, "load" | "reads" | "writes" | "spill" | "drop"> & {
    readonly model: Uint8Array;
  })[];
  readonly offloads: boolean;
  readonly memory: "held" | "fresh";
}

/** Bytes that may be dropped before the garbage is collected. */
const garbageLimit = 1 << 24;

/** Opens a session for each range. The file of offloaded values lies in `directory`, by default that for temporary files. */
export async function openPlannedStep(
  { ranges, offloads, memory }: PlannedStep,
  { threads, directory = tmpdir() }: { readonly threads: number; readonly directory?: string },
): Promise<StepRunner> {
  const sessions: Session[] = [];
  // A range's rounding should not depend on where it was cut.
  const scope = ranges.length > 1 ? "convolutions" : "all";
  for (const { model } of ranges) sessions.push(await openBlockedSession(model, { threads, memory }, scope));
  const file = offloads ? openOffloadFile(directory) : undefined;
  let garbage = 0;
  const collectSome = () => {
    if (garbage < garbageLimit) return;
    garbage = 0;
    collectGarbage();
  };
  return {
    async run(feeds, wanted = []) {
      collectSome();
      const values = new Map<string, Tensor>(feeds);
      for (const [i, { load, reads, writes, spill, drop }] of ranges.entries()) {
        for (const name of load) values.set(name, file!.read(name));
        const results = await sessions[i]!.run(new Map(reads.map((name) => [name, values.get(name)!])), writes);
        for (const [name, tensor] of results) values.set(name, tensor);
        for (const name of spill) file!.write(name, values.get(name)!);
        for (const name of drop) {
          garbage += values.get(name)!.data.byteLength;
          values.delete(name);
        }
        collectSome();
      }
      const results = new Map(wanted.map((name) => [name, values.get(name)!]));
      // The caller lets go of a step's results when it has those of the next.
      for (const { data } of results.values()) garbage += data.byteLength;
      return results;
    },
    async release() {
      for (const session of sessions) await session.release();
      file?.close();
    },
  };
}
