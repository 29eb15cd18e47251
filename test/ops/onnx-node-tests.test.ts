import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operators } from "../../src/ops/registry.ts";
import { nodeTestsFolder, runNodeTests } from "./onnx-node-tests.ts";
import { supportTable } from "./support-table.ts";

const folder = nodeTestsFolder();
const docs = readFileSync(new URL("../../docs/operators.md", import.meta.url), "utf8");

describe("ONNX's operator tests", async () => {
  const results = folder === undefined ? [] : await runNodeTests(folder);

  it.skipIf(folder === undefined)("pass where every operator is supported (needs NETPARE_DATA)", () => {
    const failed = results.filter(({ status }) => status === "failed");
    expect(failed.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([]);
    expect(results.length).toBeGreaterThan(200);
    expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThanOrEqual(190);
  });

  it.skipIf(folder === undefined)("stand in docs/operators.md as they came out (needs NETPARE_DATA)", () => {
    expect(docs, "make it again with: npm run docs:operators").toBe(supportTable(results));
  });
});

describe("docs/operators.md", () => {
  it("has a row for every operator, in the registry's order", () => {
    const rows = [...docs.matchAll(/^\| (?:[\w-]+\.)*(\w+) \| yes \|/gm)].map((row) => row[1]);
    expect(rows, "make it again with: npm run docs:operators").toEqual(operators.map(({ op }) => op));
  });
});

describe("the registry", () => {
  it("is in alphabetical order and names every operator once", () => {
    const names = operators.map(({ domain, op }) => `${domain}:${op}`.toLowerCase());
    expect(names).toEqual([...new Set(names)].sort());
  });
});
