/** Tensor data in other files: read inside the model's folder, refused everywhere else. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeModel, encodeModel, readModel } from "../../src/onnx/index.ts";
import { attribute, elem, type ModelSpec, modelBytes, node, runModel, value } from "./build-model.ts";

let folder: string;
let outside: string;
const values = Float32Array.of(1, 2, 3, 4);

beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), "netpare-external-"));
  folder = join(root, "model");
  outside = join(root, "secret.bin");
  mkdirSync(join(folder, "weights"), { recursive: true });
  writeFileSync(outside, new Uint8Array(16));
  writeFileSync(join(folder, "w.bin"), Buffer.concat([Buffer.alloc(8), Buffer.from(values.buffer)]));
  writeFileSync(join(folder, "weights", "w.bin"), Buffer.from(values.buffer));
  symlinkSync(outside, join(folder, "link.bin"));
  symlinkSync(join(folder, "w.bin"), join(folder, "inner-link.bin"));
  symlinkSync("..", join(folder, "up"));
  linkSync(join(folder, "w.bin"), join(folder, "hard.bin"));
});

afterAll(() => rmSync(join(folder, ".."), { recursive: true }));

function external(entries: Record<string, string>, dims = [2, 2], dataType = elem.float) {
  const externalData = Object.entries(entries).map(([key, entry]) => ({ key, value: entry }));
  return { name: "w", dims: dims.map(BigInt), dataType, dataLocation: 1, externalData };
}

function spec(initializer: ReturnType<typeof external>): ModelSpec {
  return {
    opset: 17,
    inputs: [value("x", [2, 2])],
    outputs: [value("y", [2, 2])],
    nodes: [node("Add", ["x", "w"], ["y"])],
    initializers: [initializer],
  };
}

const decode = (initializer: ReturnType<typeof external>) =>
  decodeModel(modelBytes(spec(initializer)), { directory: folder, file: "m.onnx" });

describe("external data", () => {
  it.each([
    ["with offset and length", { location: "w.bin", offset: "8", length: "16" }],
    ["without length", { location: "w.bin", offset: "8" }],
    ["in a sub-folder", { location: "weights/w.bin" }],
    ["behind a link inside the folder", { location: "inner-link.bin", offset: "8" }],
    ["under './'", { location: "./w.bin", offset: "8", length: "16" }],
  ])("%s", (_, entries) => {
    expect([...decode(external(entries)).initializers.get("w")!.data]).toEqual([...values]);
  });

  it("is written into the file, which then stands alone", async () => {
    const file = join(folder, "m.onnx");
    writeFileSync(file, modelBytes(spec(external({ location: "w.bin", offset: "8" }))));
    const bytes = encodeModel(await readModel(file));
    const { y } = await runModel(bytes, { x: [2, 2] });
    expect(y!.dims).toEqual([2, 2]);
    expect(decodeModel(bytes).initializers.get("w")!.data).toEqual(values);
  });

  it("serves the attribute of a Constant", () => {
    const { name: _, ...t } = external({ location: "w.bin", offset: "8" });
    const bytes = modelBytes({
      ...spec(external({})),
      initializers: [],
      nodes: [node("Constant", [], ["y"], [attribute.tensor("value", t)])],
    });
    const graph = decodeModel(bytes, { directory: folder });
    expect(graph.nodes[0]!.attributes.value).toMatchObject({ kind: "tensor", value: { data: values } });
    expect(decodeModel(encodeModel(graph)).nodes).toEqual(graph.nodes);
  });

  it("is pulled in for types that are only carried", () => {
    const graph = decode(external({ location: "weights/w.bin" }, [16], elem.float8));
    expect(decodeModel(encodeModel(graph)).nodes).toEqual(graph.nodes);
  });

  it("lets tensors share a region", () => {
    const w = external({ location: "weights/w.bin" });
    const bytes = modelBytes({ ...spec(w), initializers: [w, { ...w, name: "v" }, { ...w, name: "u" }] });
    expect(decodeModel(bytes, { directory: folder }).initializers.size).toBe(3);
  });

  it("does not let overlapping regions ask for more than there is", () => {
    const at = (name: string, offset: number) => ({
      ...external({ location: "w.bin", offset: `${offset}`, length: "16" }),
      name,
    });
    const bytes = modelBytes({ ...spec(at("w", 0)), initializers: [at("w", 0), at("v", 8), at("u", 4)] });
    expect(() => decodeModel(bytes, { directory: folder })).toThrowError(/overlaps/);
  });

  it.each([
    ["an absolute path", { location: "/etc/passwd" }, /not a path inside/],
    ["..", { location: "../secret.bin" }, /not a path inside/],
    ["a hidden ..", { location: "weights/../../secret.bin" }, /not a path inside/],
    ["a backslash path", { location: "..\\secret.bin" }, /not a path inside/],
    ["a drive", { location: "C:\\secret.bin" }, /not a path inside/],
    ["a NUL", { location: "w.bin\0" }, /not a path inside/],
    ["no location", { offset: "8" }, /not a path inside/],
    ["a link that leads outside", { location: "link.bin" }, /leads outside/],
    ["a linked folder that leads outside", { location: "up/secret.bin" }, /leads outside/],
    ["the folder itself", { location: "." }, /leads outside/],
    ["a folder", { location: "weights" }, /not a regular file/],
    ["a missing file", { location: "none.bin" }, /missing/],
    ["an offset beyond the end", { location: "w.bin", offset: "100" }, /lies outside/],
    ["a region beyond the end", { location: "w.bin", offset: "16" }, /lies outside/],
    ["a length that is not the shape's", { location: "w.bin", length: "12" }, /12 bytes, its shape wants 16/],
    ["a negative offset", { location: "w.bin", offset: "-8" }, /offset '-8'/],
    ["an offset that is no number", { location: "w.bin", offset: "0x8" }, /offset '0x8'/],
    ["an offset beyond 2^53", { location: "w.bin", offset: "99999999999999999999" }, /offset/],
  ])("refuses %s", (_, entries, reason) => {
    const error = expect.objectContaining({
      name: "NetpareError",
      code: "bad-model",
      message: expect.stringMatching(reason),
    });
    expect(() => decode(external(entries as never))).toThrowError(error);
    expect(() => decode(external(entries as never))).toThrowError(/^m\.onnx: initializer 'w'/);
  });

  it("refuses a model that was not read from a folder", () => {
    expect(() => decodeModel(modelBytes(spec(external({ location: "w.bin" }))))).toThrowError(/not read from a folder/);
  });

  it("asks for no more memory than the file has, whatever the shape says", () => {
    expect(() => decode(external({ location: "w.bin" }, [2 ** 31, 2 ** 10]))).toThrowError(/lies outside/);
  });
});
