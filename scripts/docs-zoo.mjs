/**
 * Writes docs/zoo.md. What was measured stays as it is, unless asked for: `npm run build && npm run docs:zoo -- --measure [--results DIR]`
 * builds every net at the size of the faces, exports it, times all in alternation with `netpare bench`, and takes training speed and
 * accuracy from the folder that bench/zoo-on-faces.mjs wrote.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const { values: given } = parseArgs({
  options: {
    measure: { type: "boolean", default: false },
    results: { type: "string", default: path("runs/zoo-on-faces") },
    runs: { type: "string" },
  },
});
const { measuredPart, notMeasured, onFaces, zooPage } = (await runnerImport(path("test/zoo/zoo-page.ts"))).module;
const page = path("docs/zoo.md");

/** Runs a command of netpare and parses what it prints. */
function run(...args) {
  const options = { encoding: "utf8", maxBuffer: 1e9, stdio: ["ignore", "pipe", "inherit"] };
  return JSON.parse(execFileSync(process.execPath, [path("bin/netpare.mjs"), ...args, "--json"], options));
}

/** Writes a net ready to ship into `folder` and returns its file. */
function exportNet({ name, settings }, folder) {
  const options = Object.entries({ classes: 8, channels: 1, size: 48, ...settings });
  const fresh = join(folder, `${name}.fresh.onnx`);
  const file = join(folder, `${name}.onnx`);
  run("zoo", name, ...options.flatMap(([key, value]) => [`--${key}`, String(value)]), "--out", fresh);
  run("export", fresh, "--to", "onnx", "--out", file);
  return file;
}

/** What zoo-on-faces.mjs wrote of a net, if it stands for the same settings. */
function trainingResult({ name, settings, epochs }) {
  const file = join(given.results, `${name}.json`);
  if (!existsSync(file)) return undefined;
  const result = JSON.parse(readFileSync(file, "utf8"));
  const same = JSON.stringify(result.settings) === JSON.stringify(settings) && result.epochs === epochs;
  if (!same) console.error(`${file} is of other settings than zoo-on-faces.json; left out`);
  return same ? result : undefined;
}

function measuredTable() {
  const folder = mkdtempSync(join(tmpdir(), "netpare-zoo-"));
  try {
    const files = onFaces.map((net) => exportNet(net, folder));
    const { machine, runs, results } = run(
      "bench",
      ...files,
      "--batch",
      "1",
      ...(given.runs ? ["--runs", given.runs] : []),
    );
    const rows = onFaces.map((net, i) => {
      const { latencyMs, fileBytes } = results[i];
      const trained = trainingResult(net);
      const training = trained
        ? [trained.imagesPerSecond.toFixed(0), trained.epochs, `${(100 * trained.top1).toFixed(1)} %`]
        : ["", "", ""];
      const cells = [
        `\`${net.name}\``,
        latencyMs.median.toFixed(2),
        `${latencyMs.p10.toFixed(2)} to ${latencyMs.p90.toFixed(2)}`,
      ];
      return `| ${[...cells, `${(fileBytes / 1e3).toFixed(0)} kB`, ...training].join(" | ")} |`;
    });
    const note =
      `${machine.cpu}: latency of one image on one thread in onnxruntime, exported, at least ${runs} runs of each in alternation\n` +
      "(10 % to 90 %); training in images a second beside other work, on one thread or two, and accuracy on the test faces, by `bench/zoo-on-faces.mjs`.";
    const head = "| architecture | latency, ms | spread, ms | file | training, images/s | epochs | test top-1 |";
    return [note, "", head, "|---|--:|--:|--:|--:|--:|--:|", ...rows].join("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const kept = existsSync(page) ? measuredPart(readFileSync(page, "utf8")) : notMeasured;
writeFileSync(page, zooPage(given.measure ? measuredTable() : kept));
console.log(`docs/zoo.md: ${onFaces.length} architectures${given.measure ? ", measured" : ""}`);
