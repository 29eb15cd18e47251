/**
 * Whether a killed training goes on to the very same bytes: `npm run build && node bench/kill-resume.mjs [--epochs 30] [--kills 10]
 * [--seed 1] [--data faces:train=1024,test=64] [--model faces-net]`.
 * One training runs to its end; another, with the same options, is killed (SIGKILL) at seeded random moments and resumed each
 * time. Prints where each kill left the checkpoint and the SHA-256 of every file that both wrote; ends with 1 where any differs.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { decodeCheckpoint } from "../dist/engine/checkpoint.js";
import { createRandom } from "../dist/tensor/random.js";

const { values: given } = parseArgs({
  options: {
    epochs: { type: "string", default: "30" },
    kills: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    data: { type: "string", default: "faces:train=1024,test=64" },
    model: { type: "string", default: "faces-net" },
  },
});
const [epochs, kills, seed] = [given.epochs, given.kills, given.seed].map(Number);

/** Everything that a checkpoint must carry is on: averages, snapshots, selection, mixing, augmentation, order. */
const options = [
  ["--data", given.data, "--epochs", String(epochs), "--seed", String(seed), "--threads", "1", "--batch", "48"],
  ["--schedule", "cyclic", "--cycles", "3", "--snapshots", "--validation", "0.1", "--select", "best"],
  ["--ema", "0.99", "--mixup", "0.2", "--flip", "--crop", "2", "--cutout", "8", "--clip", "5"],
].flat();

const folder = mkdtempSync(join(tmpdir(), "netpare-kill-"));
const main = fileURLToPath(new URL("../bin/netpare.mjs", import.meta.url));

/** Trains to `out`; kills after `delay` ms where given. Resolves to the exit status, null where it was killed. */
function train(out, resume, delay) {
  const args = [main, "train", given.model, ...options, "--out", out, ...(resume ? ["--resume"] : [])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  const timer = delay === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), delay);
  return new Promise((resolve, reject) =>
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      if (status !== 0 && signal !== "SIGKILL") reject(new Error(`training ended with ${status}: ${said}`));
      else resolve(status);
    }),
  );
}

function stepOf(checkpoint) {
  return existsSync(checkpoint) ? decodeCheckpoint(readFileSync(checkpoint)).step : 0;
}

function hashesOf(prefix) {
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith(".onnx"));
  const hash = (name) =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  return new Map(names.sort().map((name) => [name.slice(prefix.length), hash(name)]));
}

try {
  const begun = performance.now();
  await train(join(folder, "whole.onnx"), false);
  const wholeMs = performance.now() - begun;
  const random = createRandom(seed);
  const killed = join(folder, "killed.onnx");
  let done = 0;
  for (let i = 0; i < kills; i++) {
    const delay = 500 + (random.uniform() * 2 * wholeMs) / kills;
    if ((await train(killed, i > 0, delay)) !== null) break;
    done++;
    console.log(
      `kill ${done} after ${(delay / 1000).toFixed(1)} s: the checkpoint is at step ${stepOf(`${killed}.checkpoint`)}`,
    );
  }
  await train(killed, true);
  const [whole, resumed] = [hashesOf("whole"), hashesOf("killed")];
  for (const [name, hash] of whole)
    console.log(
      `${name}: ${hash} never killed\n${" ".repeat(name.length + 2)}${resumed.get(name)} killed ${done} times`,
    );
  const equal = whole.size > 0 && [...whole].every(([name, hash]) => resumed.get(name) === hash);
  console.log(
    equal ? "equal" : "DIFFERENT",
    `(${epochs} epochs, ${(wholeMs / 1000).toFixed(0)} s unkilled, seed ${seed})`,
  );
  process.exitCode = equal ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
