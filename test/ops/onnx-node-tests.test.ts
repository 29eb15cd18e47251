import { describe, expect, it } from "vitest";
import { nodeTestsFolder, runNodeTests } from "./onnx-node-tests.ts";

const folder = nodeTestsFolder();

describe("ONNX's operator tests", () => {
  it.skipIf(folder === undefined)("pass where every operator is supported (needs NETPARE_DATA)", async () => {
    const results = await runNodeTests(folder!);
    expect(results.length).toBeGreaterThan(200);
    const failed = results.filter(({ status }) => status === "failed");
    expect(failed.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([]);
    expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(150);
  });
});
