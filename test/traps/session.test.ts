/** Traps of onnxruntime that `engine/session.ts` and the project guard against, each sprung on purpose. */
import { readFileSync } from "node:fs";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { openSession } from "../../src/engine/session.ts";
import { ints } from "../../src/graph/attributes.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

/** Two steps that both read the parameter: `next = transpose(w) + w`. */
function update() {
  const g = new TypedBuilder("update");
  g.input("w", "float32", [2, 2]);
  g.output(g.op("Add", [g.op("Transpose", ["w"], { perm: ints([1, 0]) }), "w"], {}, { outputs: ["next"] }));
  return g.build();
}

it("refuses to write an output onto an input of the same run", async () => {
  const session = await openSession(update());
  const w = tensorOf("float32", [2, 2], [1, 2, 3, 4]);
  await expect(session.run(new Map([["w", w]]), ["next"], new Map([["next", w]]))).rejects.toThrowError(
    /onto an input/,
  );
  const other = tensorOf("float32", [2, 2], [0, 0, 0, 0]);
  const outputs = await session.run(new Map([["w", w]]), ["next"], new Map([["next", other]]));
  expect([...toNumbers(outputs.get("next")!)]).toEqual([2, 5, 5, 8]);
  expect([...w.data]).toEqual([1, 2, 3, 4]);
  await session.release();
});

it("sprung: onnxruntime itself lets an output overwrite the input it is computed from", async () => {
  const session = await InferenceSession.create(encodeModel(update()), { logSeverityLevel: 3 });
  const w = new OrtTensor("float32", Float32Array.from([1, 2, 3, 4]), [2, 2]);
  await session.run({ w }, { next: w });
  expect([...(w.data as Float32Array)]).not.toEqual([1, 2, 3, 4]);
  await session.release();
});

it("sprung: an undefined `extra` among the session options throws; openSession passes none", async () => {
  const bytes = encodeModel(update());
  const options = { extra: undefined } as unknown as InferenceSession.SessionOptions;
  await expect(InferenceSession.create(bytes, options)).rejects.toThrow();
  await (await openSession(bytes, {})).release();
});

it("the project's .npmrc skips onnxruntime-node's download", () => {
  const npmrc = readFileSync(new URL("../../.npmrc", import.meta.url), "utf8");
  expect(npmrc.split("\n")).toContain("onnxruntime-node-install=skip");
});
