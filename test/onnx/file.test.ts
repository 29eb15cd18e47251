/** Reading and writing files: whole or not at all, and one clear line where the system refuses. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeWhole } from "../../src/files/write-whole.ts";
import { decodeModel, encodeTensorFile, readModel, readTensorFile, writeModel } from "../../src/onnx/index.ts";
import { tensorOf } from "../../src/tensor/tensor.ts";
import { modelBytes, node, value } from "./build-model.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "netpare-file-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = modelBytes({
  opset: 17,
  inputs: [value("x", [2])],
  outputs: [value("y", [2])],
  nodes: [node("Relu", ["x"], ["y"])],
});
const io = (reason: RegExp) =>
  expect.objectContaining({ name: "NetpareError", code: "io", message: expect.stringMatching(reason) });

describe("writeModel", () => {
  it("writes what readModel reads, and leaves nothing else", async () => {
    const file = join(folder, "a.onnx");
    const graph = decodeModel(bytes);
    await writeModel(file, graph);
    await writeModel(file, graph);
    expect(await readModel(file)).toEqual(graph);
    expect(readdirSync(folder)).toEqual(["a.onnx"]);
  });

  it("keeps the old file where the graph cannot be encoded", async () => {
    const file = join(folder, "b.onnx");
    writeFileSync(file, "old");
    const graph = { ...decodeModel(bytes), opsets: new Map([["", 9]]) };
    await expect(writeModel(file, graph)).rejects.toThrowError(/opset 9 cannot be written/);
    expect(readFileSync(file, "utf8")).toBe("old");
  });
});

describe("writeWhole", () => {
  it.skipIf(!existsSync("/dev/full"))("tells of a full disk (needs /dev/full)", async () => {
    await expect(writeWhole("/dev/full", bytes)).rejects.toThrowError(
      io(/^cannot write \/dev\/full: no space left on the disk$/),
    );
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  it("leaves nothing behind where the rename fails", async () => {
    const target = join(folder, "busy");
    mkdirSync(join(target, "inner"), { recursive: true });
    await expect(writeWhole(target, bytes)).rejects.toThrowError(io(/busy: /));
    expect(readdirSync(folder).filter((name) => name.includes(".part"))).toEqual([]);
  });

  it.each([
    ["a missing folder", "none/a.onnx", /no such file or folder/],
    ["a file for a folder", "a.onnx/b.onnx", /not a folder/],
  ])("names %s", async (_, path, reason) => {
    await expect(writeWhole(join(folder, path), bytes)).rejects.toThrowError(io(reason));
  });

  it("writes through a link and keeps the mode", async () => {
    const real = join(folder, "real.bin");
    writeFileSync(real, "old", { mode: 0o640 });
    symlinkSync("real.bin", join(folder, "link.bin"));
    await writeWhole(join(folder, "link.bin"), Uint8Array.of(1, 2, 3));
    expect([...readFileSync(real)]).toEqual([1, 2, 3]);
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });
});

describe("reading", () => {
  it.each([
    ["a missing file", "none.onnx", /cannot read .*none\.onnx: no such file or folder/],
    ["a folder", ".", /it is a folder/],
  ])("names %s", async (_, path, reason) => {
    await expect(readModel(join(folder, path))).rejects.toThrowError(io(reason));
  });

  it("names the file in what is wrong with it", async () => {
    const file = join(folder, "cut.onnx");
    writeFileSync(file, bytes.subarray(0, bytes.length - 3));
    await expect(readModel(file)).rejects.toThrowError(/cut\.onnx: .*damaged/);
  });

  it("reads a tensor file", async () => {
    const file = join(folder, "t.pb");
    const tensor = tensorOf("float16", [2, 1], [1.5, -2]);
    await writeWhole(file, encodeTensorFile({ name: "t", tensor }));
    expect(await readTensorFile(file)).toEqual({ name: "t", tensor });
  });

  it("refuses a tensor file of strings", async () => {
    const file = join(folder, "s.pb");
    writeFileSync(file, Uint8Array.of(0x10, 8));
    await expect(readTensorFile(file)).rejects.toThrowError(/s\.pb: tensor '' has type string/);
  });
});
