/**
 * Makes the results of a folder of recipes again, from nothing, and prints them: `npm run reproduce -- mnist [--data DIR] [--out DIR]`.
 * Each file of `recipes/NAME/` is a run of its own, in `runs/NAME/`; one that is done is not done again, one that was stopped goes on.
 * `--model FILE` is what recipes start from that train nothing first, such as those of `cifar10`.
 * Without `--data` the data lie in `NAME/` in the folder that NETPARE_DATA names (`data` where it is not set).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../dist/cli/_table.js";
import { formatBytes, formatPercent, formatRatio } from "../dist/report/format.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const sets = readdirSync(join(root, "recipes"));

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { data: { type: "string" }, model: { type: "string" }, out: { type: "string" } },
});
const [set] = positionals;
if (!sets.includes(set)) {
  console.error(
    `expected the name of a folder of recipes: npm run reproduce -- ${sets.join("|")} [--data DIR] [--model FILE] [--out DIR]`,
  );
  process.exit(2);
}
const data = values.data ?? join(process.env.NETPARE_DATA ?? "data", set);
const out = values.out ?? join("runs", set);
if (!existsSync(data)) {
  console.error(`${data} is not there; give the folder of the data: npm run reproduce -- ${set} --data DIR`);
  process.exit(2);
}

const recipes = readdirSync(join(root, "recipes", set)).filter((file) => file.endsWith(".yaml"));
const rows = [];
for (const [i, file] of recipes.entries()) {
  const name = basename(file, ".yaml");
  const folder = join(out, name);
  console.log(`\n${i + 1} of ${recipes.length}: recipes/${set}/${file}`);
  const report = join(folder, "report.json");
  if (!existsSync(report)) {
    const resume = existsSync(folder) ? ["--resume"] : [];
    const model = values.model === undefined ? [] : ["--model", values.model];
    const recipe = join(root, "recipes", set, file);
    const command = ["run", recipe, "--data", `${set}:${data}`, ...model, "--out", folder, ...resume];
    const { status } = spawnSync(process.execPath, [join(root, "bin/netpare.mjs"), ...command], { stdio: "inherit" });
    // 1: it ran, and what the recipe claims does not hold, which the table shows as well.
    if (status !== 0 && status !== 1) process.exit(status ?? 1);
  }
  rows.push(rowOf(name, JSON.parse(readFileSync(report, "utf8"))));
}

/** The last stage's file beside the first one's. */
function rowOf(name, { stages }) {
  const [original, last] = [stages[0], stages.at(-1)];
  const { fileBytes, accuracy, weights } = last.coded;
  const error = (top1) => formatPercent(1 - top1, 2);
  const huffman = fileBytes - weights.bytes + weights.huffmanBytes;
  return [
    name,
    formatBytes(original.fileBytes),
    error(original.accuracy.top1),
    formatBytes(fileBytes),
    formatRatio(original.fileBytes / fileBytes),
    error(accuracy.top1),
    formatBytes(huffman),
    formatPercent(weights.bytes / weights.modelBytes - 1, 2),
  ];
}

const heads = ["recipe", "onnx", "error", "pare", "smaller", "error", "by Huffman", "over its model"];
console.log(`\n${formatTable(heads, rows, [0])}`);
