/** `docs/zoo.md` and the settings on the faces against the zoo itself. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { architectures } from "../../src/zoo/index.ts";
import { measuredPart, onFaces, zooPage } from "./zoo-page.ts";

describe("docs/zoo.md", () => {
  it("is what npm run docs:zoo makes of the zoo, but for what was measured", () => {
    const page = readFileSync(new URL("../../docs/zoo.md", import.meta.url), "utf8");
    expect(page).toBe(zooPage(measuredPart(page)));
  });

  it("keeps the measured part when it is made anew", () => {
    const part = "| a | b |\n|---|---|\n| 1 | 2 |";
    expect(measuredPart(zooPage(part))).toBe(part);
  });
});

describe("bench/zoo-on-faces.json", () => {
  it("has every architecture once, in the zoo's order", () => {
    expect(onFaces.map(({ name }) => name)).toEqual(architectures.map(({ name }) => name));
  });
});
