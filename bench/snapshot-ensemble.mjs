/**
 * Whether five snapshots of one training beat the best of them, and one network of the same budget (Huang et al. 2017):
 * `npm run build && node bench/snapshot-ensemble.mjs --data cifar10:DIR [--model resnet-8] [--epochs 10] [--cycles 5] [--seeds 3]
 * [--out DIR] [--lr 0.1] [--threads N] [-- FLAGS]`. Two trainings a seed, alike but for the schedule, with the flags behind `--` (by default
 * `--flip --crop 4`); what is in the folder already is not trained again.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    model: { type: "string", default: "resnet-8" },
    epochs: { type: "string", default: "10" },
    cycles: { type: "string", default: "5" },
    seeds: { type: "string", default: "3" },
    lr: { type: "string", default: "0.1" },
    threads: { type: "string" },
    out: { type: "string", default: "runs/snapshot-ensemble" },
  },
});
if (given.data === undefined) {
  console.error("--data says what to train on, such as cifar10:DIR");
  process.exit(2);
}
const netpare = fileURLToPath(new URL("../bin/netpare.mjs", import.meta.url));
mkdirSync(given.out, { recursive: true });

/** Trains to a file of its own unless its result is there, and returns the result. */
function train(name, flags) {
  const file = join(given.out, `${name}.onnx`);
  const result = `${file}.json`;
  if (existsSync(result)) return JSON.parse(readFileSync(result, "utf8"));
  const fixed = ["--data", given.data, "--epochs", given.epochs, "--lr", given.lr, "--resume"];
  if (given.threads !== undefined) fixed.push("--threads", given.threads);
  const shared = positionals.length > 0 ? positionals : ["--flip", "--crop", "4"];
  const args = [netpare, "train", given.model, ...fixed, ...shared, ...flags, "--out", file, "--json"];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  writeFileSync(result, stdout);
  return JSON.parse(stdout);
}

const percent = (share) => `${(100 * share).toFixed(2)} %`;
const describe = (shares) => {
  const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
  const deviation = Math.sqrt(shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, shares.length - 1));
  return `${percent(mean)} ± ${(100 * deviation).toFixed(2)}`;
};

const rows = Array.from({ length: Number(given.seeds) }, (_, i) => {
  const seed = ["--seed", String(i + 1)];
  const joint = train(`ensemble-${i + 1}`, [...seed, "--schedule", "cyclic", "--cycles", given.cycles, "--snapshots"]);
  const single = train(`single-${i + 1}`, seed);
  const row = {
    members: joint.members.map(({ top1 }) => top1),
    best: Math.max(...joint.members.map(({ top1 }) => top1)),
    ensemble: joint.test.top1,
    single: single.test.top1,
    seconds: joint.training.seconds + single.training.seconds,
  };
  console.log(
    `seed ${i + 1}: members ${row.members.map(percent).join(", ")}; ensemble ${percent(row.ensemble)}, single ${percent(row.single)}, ${Math.round(row.seconds)} s`,
  );
  return row;
});
console.log(
  `${given.model}, ${given.epochs} epochs, ${given.cycles} snapshots, ${given.seeds} seeds (mean ± standard deviation):`,
);
for (const name of ["best", "ensemble", "single"]) console.log(`  ${name}\t${describe(rows.map((row) => row[name]))}`);
