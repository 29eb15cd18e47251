/**
 * A program of its own: loads a model file, runs it once, and prints the peak resident bytes of its process.
 * Its argument is JSON: `{ file, inputs: [{ input, dtype, shape }] }`.
 */
import { readFileSync } from "node:fs";
import type { DType } from "../tensor/dtype.ts";
import { tensor } from "../tensor/tensor.ts";
import { openSession } from "./session.ts";

interface Job {
  readonly file: string;
  readonly inputs: readonly { readonly input: string; readonly dtype: DType; readonly shape: readonly number[] }[];
}

const job = JSON.parse(process.argv[2] ?? "") as Job;
const session = await openSession(job.file, { threads: 1 });
await session.run(new Map(job.inputs.map(({ input, dtype, shape }) => [input, tensor(dtype, shape)])));
console.log(peakResidentBytes());

/** Linux hands the maximum resident set of the parent on to its children; the high-water mark of the memory itself is our own. */
function peakResidentBytes(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS) * 1024;
}
