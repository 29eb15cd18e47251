/** docs/runtime.md against the code: every operator that netpare knows is run or named as refused. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operators as known } from "../../src/ops/registry.ts";
import { operators } from "../../src/runtime/operators/index.ts";

const text = readFileSync(new URL("../../docs/runtime.md", import.meta.url), "utf8");
const section = (title: string, end: string) => text.slice(text.indexOf(`\n${title}\n`), text.indexOf(`\n${end}\n`));
const words = (of: string) => new Set(of.match(/\b[A-Z]\w+/g));
const runs = words(section("## What it runs", "### Refused"));
const refused = words(section("### Refused", "## Hostile files"));

describe("docs/runtime.md", () => {
  it("names every operator that the runtime runs", () => {
    expect([...operators.keys()].filter((op) => !runs.has(op))).toEqual([]);
  });

  it("names every other operator of netpare as refused", () => {
    const missing = known.filter(({ op, domain }) => domain === "" && !operators.has(op) && !refused.has(op));
    expect(missing.map(({ op }) => op)).toEqual([]);
  });

  it("names no operator as run that is not", () => {
    const claimed = known.filter(({ op, domain }) => domain === "" && runs.has(op));
    expect(claimed.filter(({ op }) => !operators.has(op)).map(({ op }) => op)).toEqual([]);
    expect(claimed.length).toBeGreaterThan(80);
  });
});
