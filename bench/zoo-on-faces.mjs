/**
 * Trains every architecture of the zoo on the built-in faces, evaluates the written files, and prints a table:
 * `npm run build && node bench/zoo-on-faces.mjs [--out DIR] [--only NAME,…] [--train N] [--test N] [--seed N] [--threads N]`.
 * Settings are in zoo-on-faces.json. A net whose result is in the folder already is skipped, one that was stopped goes on from its
 * checkpoint.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const netpare = fileURLToPath(new URL("../bin/netpare.mjs", import.meta.url));
const batch = 64;
const { values: given } = parseArgs({
  options: {
    out: { type: "string", default: "runs/zoo-on-faces" },
    only: { type: "string" },
    train: { type: "string", default: "8000" },
    test: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    threads: { type: "string" },
  },
});
const nets = JSON.parse(readFileSync(new URL("zoo-on-faces.json", import.meta.url), "utf8"));
const names = given.only?.split(",") ?? nets.map(({ name }) => name);
const unknown = names.filter((wanted) => !nets.some(({ name }) => name === wanted));
if (unknown.length > 0) {
  console.error(`zoo-on-faces.json has no ${unknown.join(", ")}; it has ${nets.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const data = `faces:size=48,channels=1,train=${given.train},test=${given.test}`;

/** Runs a command of netpare and parses what it prints; its progress goes to the terminal. */
function run(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [netpare, ...args, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (piece) => {
      text += piece;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve(JSON.parse(text));
      else reject(new Error(`netpare ${args.join(" ")} ended with ${status}`));
    });
  });
}

/** The arguments that train a net. */
function trainCommand({ name, settings, epochs, optimizer, lr }, file) {
  const architecture = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const training = ["--epochs", epochs, "--batch", batch, "--optimizer", optimizer, "--lr", lr, "--seed", given.seed];
  if (given.threads !== undefined) training.push("--threads", given.threads);
  return [
    "train",
    name,
    "--data",
    data,
    ...training.map(String),
    "--warmup",
    "0.5",
    "--flip",
    ...architecture,
    "--out",
    file,
  ];
}

async function measure(net) {
  const file = join(given.out, `${net.name}.onnx`);
  const command = trainCommand(net, file);
  console.error(`netpare ${command.join(" ")}`);
  const { training } = await run(...command, ...(existsSync(`${file}.checkpoint`) ? ["--resume"] : []));
  const { parameters, macs } = await run("inspect", file);
  const { top1, samples, loss } = await run("evaluate", file, "--data", data);
  const { curve, seconds, steps } = training;
  return {
    ...{ name: net.name, settings: net.settings, data, command: `netpare ${command.join(" ")}`, parameters, macs },
    ...{ epochs: net.epochs, steps, seconds, imagesPerSecond: (steps * batch) / seconds },
    ...{ firstLoss: curve[0].loss, lastLoss: curve.at(-1).loss, testLoss: loss, top1, samples },
  };
}

mkdirSync(given.out, { recursive: true });
const results = [];
let failed = 0;
for (const net of nets.filter(({ name }) => names.includes(name))) {
  const file = join(given.out, `${net.name}.json`);
  try {
    if (!existsSync(file)) {
      const result = await measure(net);
      writeFileSync(`${file}.part`, `${JSON.stringify(result, null, 2)}\n`);
      renameSync(`${file}.part`, file);
    }
    results.push(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    failed++;
    console.error(`${net.name}: ${error.message}`);
  }
}

const cell = (text, width) => String(text).padStart(width);
const columns = ["net", "parameters", "MACs", "epochs", "seconds", "images/s", "first loss", "last loss", "test top-1"];
const rows = results.map((r) => [
  ...[r.name, r.parameters.toLocaleString("en-US"), `${(r.macs / 1e6).toFixed(1)} M`, r.epochs, r.seconds.toFixed(0)],
  ...[r.imagesPerSecond.toFixed(0), r.firstLoss.toFixed(3), r.lastLoss.toFixed(3), `${(100 * r.top1).toFixed(2)} %`],
]);
const widths = columns.map((title, i) => Math.max(title.length, ...rows.map((row) => String(row[i]).length)));
for (const row of [columns, ...rows]) console.log(row.map((text, i) => cell(text, widths[i])).join("  "));
console.log(
  `${cpus()[0].model}, ${data}, batch ${batch}, seed ${given.seed}; ${results.length} nets, ${failed} failed`,
);
process.exit(failed > 0 ? 1 : 0);
