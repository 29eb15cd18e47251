/** ONNX's own operator tests: what we write after reading gives onnxruntime what the file itself gives it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { decodeModel, decodeTensorFile, encodeModel } from "../../src/onnx/index.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { largestDifference, openSession, runModel } from "./build-model.ts";

const data = process.env.NETPARE_DATA;
const folder = join(data ?? "", "onnx-tests", "node");

/** Element types that onnxruntime's JavaScript side can be fed. */
const fed = new Set([
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "bool",
  "float16",
]);

/** The inputs of a test, undefined where one cannot be fed. */
function inputsOf(test: string, names: readonly string[]): Record<string, OrtTensor> | undefined {
  const feeds: Record<string, OrtTensor> = {};
  for (const [i, name] of names.entries()) {
    const file = join(folder, test, "test_data_set_0", `input_${i}.pb`);
    if (!existsSync(file)) return undefined;
    try {
      const { tensor } = decodeTensorFile(readFileSync(file), file);
      if (!fed.has(tensor.dtype)) return undefined;
      feeds[name] = new OrtTensor(tensor.dtype as "float32", tensor.data as Float32Array, [...tensor.shape]);
    } catch (error) {
      if (error instanceof NetpareError) return undefined;
      throw error;
    }
  }
  return feeds;
}

/** Whether the two ran to equal results, or why they were not compared. */
async function compare(test: string): Promise<"equal" | "refused" | "not fed" | "not run by onnxruntime"> {
  const bytes = readFileSync(join(folder, test, "model.onnx"));
  let written: Uint8Array;
  try {
    written = encodeModel(decodeModel(bytes, { file: test }));
  } catch (error) {
    if (error instanceof NetpareError && error.code === "unsupported") return "refused";
    throw error;
  }
  const session = await openSession(bytes).catch(() => undefined);
  if (session === undefined) return "not run by onnxruntime";
  const feeds = inputsOf(test, session.inputNames);
  await session.release();
  if (feeds === undefined) return "not fed";
  const expected = await runModel(bytes, feeds).catch(() => undefined);
  if (expected === undefined) return "not run by onnxruntime";
  const got = await runModel(written, feeds);
  for (const [name, { type, dims, data: values }] of Object.entries(expected)) {
    expect({ test, type: got[name]?.type, dims: got[name]?.dims }).toEqual({ test, type, dims });
    // Kernels of another opset may sum in another order.
    expect(largestDifference(values, got[name]!.data), `${test}: ${name}`).toBeLessThanOrEqual(1e-6);
  }
  return "equal";
}

describe("ONNX's operator tests", () => {
  it.skipIf(!existsSync(folder))("run as their files do (needs NETPARE_DATA)", async () => {
    const outcomes = new Map<string, string[]>();
    for (const test of readdirSync(folder)) {
      const outcome = await compare(test);
      outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), test]);
    }
    expect(outcomes.get("equal")!.length).toBeGreaterThanOrEqual(198);
    // Inputs and outputs of 8-bit floats, of fewer than 8 bits, and of sequences.
    const types = /float8|float4|int[42]|e8m0|e4m3fn|sequence/i;
    expect((outcomes.get("refused") ?? []).filter((test) => !types.test(test))).toEqual([]);
  });
});
