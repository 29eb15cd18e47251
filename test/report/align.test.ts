import { describe, expect, it } from "vitest";
import { alignLayers, channelsOf } from "../../src/report/align.ts";
import type { Layer } from "../../src/report/schema.ts";

function layer(name: string, channels: number | string = 8): Layer {
  return {
    name,
    op: "Conv",
    shape: ["N", channels, 4, 4],
    parameters: 1,
    macs: 1,
    weightBytes: 4,
    sparsity: 0,
    bits: 32,
  };
}

describe("alignLayers", () => {
  it("keeps removed and added layers between their neighbours", () => {
    const before = [layer("a"), layer("b"), layer("c")];
    const after = [layer("z"), layer("a", 4), layer("b/1"), layer("b/2"), layer("c"), layer("d")];
    const rows = alignLayers(before, after).map((row) => [row.name, row.before !== null, row.after !== null]);
    expect(rows).toEqual([
      ["z", false, true],
      ["a", true, true],
      ["b/1", false, true],
      ["b/2", false, true],
      ["b", true, false],
      ["c", true, true],
      ["d", false, true],
    ]);
  });

  it("loses no layer of either side", () => {
    const before = [layer("a"), layer("b")];
    const rows = alignLayers(before, []);
    expect(rows).toHaveLength(2);
    expect(rows.every((row) => row.after === null)).toBe(true);
    expect(alignLayers([], before).map((row) => row.after?.name)).toEqual(["a", "b"]);
  });
});

describe("channelsOf", () => {
  it("reads the second dimension where it is fixed", () => {
    expect(channelsOf(layer("a", 24))).toBe(24);
    expect(channelsOf(layer("a", "C"))).toBeNull();
  });
});
