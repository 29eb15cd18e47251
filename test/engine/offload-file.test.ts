/** Values come back from the file as they went, and the file leaves nothing behind. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openOffloadFile } from "../../src/engine/offload-file.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

const folder = mkdtempSync(join(tmpdir(), "netpare-offload-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the file of offloaded values", () => {
  it("gives back each value with its type and shape, the last one written under a name", () => {
    const file = openOffloadFile(folder);
    file.write("a", tensorOf("float32", [2, 2], [1, 2, 3, 4]));
    file.write("b", tensorOf("int64", [3], [7, -8, 9]));
    file.write("a", tensorOf("float32", [2, 2], [5, 6, 7, 8]));
    expect([...toNumbers(file.read("a"))]).toEqual([5, 6, 7, 8]);
    expect(file.read("a").shape).toEqual([2, 2]);
    expect([...toNumbers(file.read("b"))]).toEqual([7, -8, 9]);
    expect(file.read("b").dtype).toBe("int64");
    file.close();
  });

  it("has no name that a kill could leave", () => {
    const file = openOffloadFile(folder);
    file.write("a", tensorOf("float32", [1], [1]));
    expect(readdirSync(folder)).toEqual([]);
    file.close();
  });

  it("says where it cannot be made", () => {
    expect(() => openOffloadFile(join(folder, "missing"))).toThrow(/no file can be made.*TMPDIR/);
  });
});
