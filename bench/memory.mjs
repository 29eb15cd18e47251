/**
 * What a memory budget costs: peak memory and step time of VGG-16 (32x32) under every policy, with half of what the step takes as
 * one session, each in a process of its own, in alternation with that session; and how far the results of a step differ.
 * `npm run build && node bench/memory.mjs [batch] [rounds] [policy…]`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import { buildTrainingStep, stepNames } from "../dist/autodiff/training-step.js";
import { openBlockedSession } from "../dist/engine/blocked-layout.js";
import { planWithin } from "../dist/engine/memory-budget.js";
import { openPlannedStep } from "../dist/engine/step-runner.js";
import { memoryPolicies } from "../dist/memory/plan.js";
import { encodeModel } from "../dist/onnx/index.js";
import { createRandom } from "../dist/tensor/random.js";
import { tensor, tensorOf } from "../dist/tensor/tensor.js";
import { findArchitecture } from "../dist/zoo/index.js";

const status = (field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;

const folder = mkdtempSync(join(tmpdir(), "netpare-memory-"));

function prepare(batch) {
  const graph = findArchitecture("vgg-16").build({}, createRandom(1));
  const step = buildTrainingStep(graph, {
    batch,
    classes: 10,
    imageShape: [3, 32, 32],
    optimizer: { optimizer: "sgd", momentum: 0.9, nesterov: true, weightDecay: 5e-4, clip: 0, ema: 0, decay: [] },
    objective: { terms: [] },
  });
  const random = createRandom(3);
  const images = tensor("float32", [batch, 3, 32, 32]);
  for (let i = 0; i < images.data.length; i++) images.data[i] = random.normal();
  const targets = tensor("float32", [batch, 10]);
  for (let n = 0; n < batch; n++) targets.data[n * 10 + (n % 10)] = 1;
  const feeds = new Map([...step.states].map(([name, { initial }]) => [name, initial]));
  feeds
    .set(step.images, images)
    .set(stepNames.targets, targets)
    .set(stepNames.lr, tensorOf("float32", [], [0.01]));
  if (step.noisy) feeds.set(stepNames.noise, tensor("float32", [batch]));
  return { step, feeds, wanted: step.graph.outputs.map((output) => output.name) };
}

/** Runs a step whenever a line comes in, and answers with its time and the peak so far; the first leaves its results in `dump`. */
async function child({ policy, budget, batch, threads, dump }) {
  const { step, feeds, wanted } = prepare(batch);
  let plan;
  let runner;
  if (policy === "one session") runner = await openBlockedSession(encodeModel(step.graph), { threads });
  else {
    const memoryBudget = `${Math.floor((budget ?? 8.6e6 * batch) / 1e6)}MB`;
    plan = planWithin(step, memoryBudget, policy, status("VmRSS"));
    runner = await openPlannedStep(plan.planned, { threads });
  }
  let values = feeds;
  for await (const _ of createInterface({ input: process.stdin })) {
    const begun = performance.now();
    const results = await runner.run(values, wanted);
    const ms = performance.now() - begun;
    const states = [...step.states].map(([name, { next }]) => [name, results.get(next)]);
    if (values === feeds) writeFileSync(dump, serialize(new Map(states.map(([name, { data }]) => [name, data]))));
    values = new Map([...values, ...states]);
    console.log(JSON.stringify({ ms, peak: status("VmHWM"), ...plan?.decision }));
  }
}

function open(job) {
  const dump = join(folder, `${job.policy}-${job.budget}`);
  const args = [fileURLToPath(import.meta.url), "--child", JSON.stringify({ threads: 2, dump, ...job })];
  const process_ = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  return {
    async step() {
      process_.stdin.write("step\n");
      const { value, done } = await answers.next();
      return done ? undefined : JSON.parse(value);
    },
    results: () => deserialize(readFileSync(dump)),
    close: () => process_.stdin.end(),
  };
}

/** The largest difference of two steps' results, relative to the largest of each state. */
function largestError(expected, found) {
  let largest = 0;
  for (const [name, a] of expected) {
    const b = found.get(name);
    const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-12);
    for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]) / scale);
  }
  return largest;
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const mb = (bytes) => (bytes === undefined ? "-" : String(Math.round(bytes / 1e6)));

/** Runs both in turn and prints a row. */
async function compare(job, rounds) {
  const [whole, planned] = [open({ ...job, policy: "one session", budget: undefined }), open(job)];
  const last = [undefined, undefined];
  const times = [[], []];
  for (let round = 0; round <= rounds; round++)
    for (const [i, contestant] of [whole, planned].entries()) {
      last[i] = await contestant.step();
      if (last[i] === undefined) {
        whole.close();
        console.log(`${job.policy}\t${mb(job.budget)}\tcannot be met`);
        return undefined;
      }
      if (round > 0) times[i].push(last[i].ms);
    }
  const error = largestError(whole.results(), planned.results());
  whole.close();
  planned.close();
  const [one, own] = last;
  const cells = [mb(job.budget), mb(own.predictedBytes), mb(own.peak), (own.peak / one.peak).toFixed(2)];
  if (process.env.TIMES) console.error(times.map((list) => list.map((t) => Math.round(t)).join(" ")).join("\n"));
  const slower = (median(times[1]) / median(times[0])).toFixed(2);
  const cost = [slower, own.ranges, (own.recomputedMacs / 1e9).toFixed(1), mb(own.offloadedBytes)];
  console.log([job.policy, ...cells, ...cost, error.toExponential(1)].join("\t"));
  return one;
}

if (process.argv[2] === "--child") await child(JSON.parse(process.argv[3]));
else {
  const [batch = 256, rounds = 5, ...only] = process.argv.slice(2).map((a) => Number(a) || a);
  console.log("policy\tbudget MB\tpredicted\tpeak\tratio\ttime\tranges\tGMACs again\toffloaded MB\tlargest error");
  const whole = await compare({ policy: "keep", batch }, rounds);
  console.log(`one session: ${mb(whole.peak)} MB`);
  for (const policy of memoryPolicies)
    if (only.length === 0 || only.includes(policy)) await compare({ policy, batch, budget: whole.peak / 2 }, rounds);
}
rmSync(folder, { recursive: true, force: true });
