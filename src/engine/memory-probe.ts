/**
 * A program of its own: loads a model file, runs it once, and prints the peak resident bytes of its process.
 * Its argument is JSON: `{ file, inputs: [{ input, dtype, shape }] }`.
 */
import type { DType } from "../tensor/dtype.ts";
import { tensor } from "../tensor/tensor.ts";
import { openModel } from "./open-model.ts";
import { peakResidentBytes } from "./resident-memory.ts";

interface Job {
  readonly file: string;
  readonly inputs: readonly { readonly input: string; readonly dtype: DType; readonly shape: readonly number[] }[];
}

const job = JSON.parse(process.argv[2] ?? "") as Job;
const session = await openModel(job.file, { threads: 1 });
await session.run(new Map(job.inputs.map(({ input, dtype, shape }) => [input, tensor(dtype, shape)])));
console.log(peakResidentBytes());
