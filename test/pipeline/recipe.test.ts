import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkRecipe, formatRecipe, readRecipe } from "../../src/pipeline/recipe.ts";

const folder = mkdtempSync(path.join(tmpdir(), "netpare-recipe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipe = {
  model: "net.onnx",
  data: "faces",
  stages: [{ method: "prune-blocks", params: { blocks: 1 }, train: { epochs: 2 } }, { method: "quantize-int8" }],
};

describe("a recipe", () => {
  it("fills in defaults, and reads back as it was written", () => {
    const checked = checkRecipe(recipe, "here");
    expect(checked.measure).toEqual({ batches: [1, 32], threads: 1, runs: 60 });
    expect(checked.stages[0]!.distill).toEqual({ temperature: 4, alpha: 0.9, hints: 20 });
    expect(checked.stages[1]!.params).toHaveProperty("calibration");
    expect(checkRecipe(parse(formatRecipe(checked)), "again")).toEqual(checked);
  });

  it.each([
    [{ ...recipe, stages: [{ method: "prune-blcks" }] }, /no method 'prune-blcks'; did you mean 'prune-blocks'/],
    [{ ...recipe, stages: [{ method: "prune-blocks", params: { block: 1 } }] }, /stages\.0\.params\..*block/],
    [{ ...recipe, stages: [{ method: "prune-blocks", params: { blocks: -1 } }] }, /stages\.0\.params\.blocks/],
    [{ ...recipe, stages: [{ method: "prune-blocks", train: { epochs: 0 } }] }, /stages\.0\.train\.epochs/],
    [{ ...recipe, maxdrop: 0.1 }, /maxdrop/],
    [{ model: "net.onnx", stages: [] }, /data/],
    ["text", /recipe/],
  ])("names what is wrong: %j", (wrong, message) => {
    expect(() => checkRecipe(wrong, "here.yaml")).toThrowError(message);
    expect(() => checkRecipe(wrong, "here.yaml")).toThrowError(expect.objectContaining({ name: "NetpareError" }));
  });

  it("of the examples fits the schema", async () => {
    const example = fileURLToPath(new URL("../../examples/faces.yaml", import.meta.url));
    expect((await readRecipe(example)).stages.map(({ method }) => method)).toEqual(["prune-channels", "quantize-int8"]);
  });

  it("says so where the file is missing or no YAML", async () => {
    await expect(readRecipe(path.join(folder, "none.yaml"))).rejects.toThrowError(/cannot be read/);
    const broken = path.join(folder, "broken.yaml");
    writeFileSync(broken, "stages: [}\n");
    await expect(readRecipe(broken)).rejects.toThrowError(/is not YAML/);
  });
});
