/** Writes docs/operators.md from the operator registry and from ONNX's operator tests, which it runs. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const load = async (path) => (await runnerImport(fileURLToPath(new URL(`../${path}`, import.meta.url)))).module;
const { nodeTestsFolder, runNodeTests } = await load("test/ops/onnx-node-tests.ts");
const folder = nodeTestsFolder();
if (folder === undefined) {
  console.error("ONNX's operator tests are missing: set NETPARE_DATA to the folder that holds onnx-tests/node");
  process.exit(2);
}
const { supportTable } = await load("test/ops/support-table.ts");
const results = await runNodeTests(folder);
const failed = results.filter(({ status }) => status === "failed");
for (const { name, reason } of failed) console.error(`${name}: ${reason}`);
writeFileSync(fileURLToPath(new URL("../docs/operators.md", import.meta.url)), supportTable(results));
console.log(`docs/operators.md: ${results.length} tests, ${failed.length} failed`);
process.exit(failed.length > 0 ? 1 : 0);
