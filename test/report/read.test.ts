import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseReport, readReport, writeReport } from "../../src/report/read.ts";
import type { Report } from "../../src/report/schema.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { builtPage } from "./built-page.ts";
import { hostileReport, sampleReport } from "./fixture.ts";

let dir: string;

beforeAll(async () => {
  builtPage();
  dir = await mkdtemp(join(tmpdir(), "netpare-report-"));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function failure(work: () => unknown): Promise<NetpareError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof NetpareError) return error;
    throw error;
  }
  throw new Error("expected a NetpareError, nothing was thrown");
}

/** The sample with `value` put at `path`. */
function broken(value: unknown, ...path: readonly (string | number)[]): unknown {
  const report: unknown = JSON.parse(JSON.stringify(sampleReport()));
  let place = report as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>;
  place[path.at(-1)!] = value;
  return report;
}

describe("a run folder", () => {
  it("gives back the report that was written, hostile text included", async () => {
    for (const report of [sampleReport(), hostileReport()]) {
      await writeReport(join(dir, "run"), report);
      expect(await readReport(join(dir, "run"))).toEqual({
        ...report,
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    }
  });

  it("holds report.json and report.html and nothing half-written", async () => {
    await writeReport(join(dir, "clean"), sampleReport());
    expect((await readdir(join(dir, "clean"))).sort()).toEqual(["report.html", "report.json"]);
    const text = await readFile(join(dir, "clean", "report.json"), "utf8");
    expect(text.endsWith("}\n")).toBe(true);
  });

  it("is left as it was where the report is wrong", async () => {
    await writeReport(join(dir, "kept"), sampleReport());
    const bad: Report = { ...sampleReport(), totalSeconds: Number.NaN };
    const error = await failure(() => writeReport(join(dir, "kept"), bad));
    expect(error.code).toBe("bad-data");
    expect(error.message).toContain("totalSeconds");
    expect(await readReport(join(dir, "kept"))).toMatchObject(sampleReport());
  });

  it("without a report is an error that names the file", async () => {
    const error = await failure(() => readReport(join(dir, "nowhere")));
    expect(error.code).toBe("io");
    expect(error.message).toContain(join("nowhere", "report.json"));
  });

  it("with a cut-short report is an error that says so", async () => {
    await writeFile(join(dir, "report.json"), JSON.stringify(sampleReport()).slice(0, 400));
    const error = await failure(() => readReport(dir));
    expect(error.code).toBe("bad-data");
    expect(error.message).toMatch(/report\.json is not JSON/);
  });
});

describe("parseReport", () => {
  it.each([
    ["stages[1].accuracy.top1", broken(1.2, "stages", 1, "accuracy", "top1")],
    ["stages[0].layers[3].sparsity", broken(-0.1, "stages", 0, "layers", 3, "sparsity")],
    ["stages[2].fileBytes", broken("many", "stages", 2, "fileBytes")],
    ["version", broken(2, "version")],
    ["stages", broken([], "stages")],
    ["trials[0].kept", broken(undefined, "trials", 0, "kept")],
    ["the file", []],
  ])("names the field %s", async (field, value) => {
    const error = await failure(() => parseReport(value, "x/report.json"));
    expect(error.code).toBe("bad-data");
    expect(error.message).toContain(`${field}: `);
    expect(error.message).not.toContain("\n");
  });
});
