/** The shared real models: nothing is lost, and onnxruntime sees no difference. */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { feeds } from "../../src/graph/graph.ts";
import { decodeModel, encodeModel, readModel } from "../../src/onnx/index.ts";
import { ModelProtoSchema } from "../../src/onnx/onnx_pb.ts";
import { haveSharedModels, needsShared, sharedModelFile, sharedModelNames } from "../shared-models.ts";
import { runModel } from "./build-model.ts";

describe.skipIf(!haveSharedModels)(`shared models ${needsShared}`, () => {
  it.each(sharedModelNames)("%s: reads, writes, reads again to the same graph", async (name) => {
    const graph = await readModel(sharedModelFile(name));
    // Vitest compares millions of numbers one by one.
    expect(isDeepStrictEqual(decodeModel(encodeModel(graph)), graph)).toBe(true);
  });

  it.each(sharedModelNames)("%s: keeps what a graph does not hold", (name) => {
    const bytes = readFileSync(sharedModelFile(name));
    const was = fromBinary(ModelProtoSchema, bytes);
    const is = fromBinary(ModelProtoSchema, encodeModel(decodeModel(bytes)));
    const rest = ({ graph, irVersion, opsetImport, ...model }: typeof was) => {
      const { node, initializer, input, ...outer } = graph!;
      return {
        ...model,
        outer,
        inner: node.map(({ input: _, attribute, domain = "", ...kept }) => ({ ...kept, domain })),
      };
    };
    expect(rest(is)).toEqual(rest(was));
    expect(is.graph!.initializer.map((t) => t.name)).toEqual(
      expect.arrayContaining(was.graph!.initializer.map((t) => t.name)),
    );
  });

  it.each(sharedModelNames)("%s: runs bit-equal to the file on onnxruntime", async (name) => {
    const bytes = readFileSync(sharedModelFile(name));
    const graph = decodeModel(bytes);
    const shapes = feeds(graph).map((input) => [
      input.name,
      input.shape!.map((dim) => (typeof dim === "number" ? dim : 2)),
    ]);
    const inputs = Object.fromEntries(shapes);
    expect(await runModel(encodeModel(graph), inputs)).toEqual(await runModel(bytes, inputs));
  });

  it("brings mnist-8 from opset 8 to 17", async () => {
    const graph = await readModel(sharedModelFile("mnist-8"));
    expect(graph.opsets.get("")).toBe(17);
    expect(graph.inputs.map(({ name }) => name)).toEqual(["Input3"]);
  });
});
