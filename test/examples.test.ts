/** The examples run as they stand, on less data. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import * as library from "../src/index.ts";

it("examples/library.mjs trains, prunes, quantizes and measures", async () => {
  const example = fileURLToPath(new URL("../examples/library.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [example, "faces:train=128,test=32"]);
  const rows = stdout.split("\n").map((line) => /^(\w+) +top-1 [\d.]+ % +(\d+) MACs +(\d+) bytes/.exec(line));
  const figures = rows.flatMap((row) => (row === null ? [] : [[row[1], Number(row[2]), Number(row[3])] as const]));
  expect(figures.map(([name]) => name)).toEqual(["trained", "tuned", "quantized"]);
  const [trained, tuned, quantized] = figures;
  expect(tuned![1]).toBeLessThanOrEqual(0.53 * trained![1]);
  expect(quantized![2]).toBeLessThan(0.5 * tuned![2]);
});

it("the library has what its users need to add a method, an operator and an architecture", () => {
  const { defineMethod, defineOp, defineArchitecture, TypedBuilder, GraphEdit } = library;
  for (const entry of [defineMethod, defineOp, defineArchitecture, TypedBuilder, GraphEdit])
    expect(entry).toBeTypeOf("function");
});
