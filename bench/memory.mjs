/**
 * What a memory budget costs: peak memory and step time of VGG-16 (32x32) under every policy, each in a process of its own,
 * against the step as one session: `npm run build && node bench/memory.mjs [batch] [steps]`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildTrainingStep, stepNames } from "../dist/autodiff/training-step.js";
import { planWithin } from "../dist/engine/memory-budget.js";
import { openSession } from "../dist/engine/session.js";
import { openPlannedStep } from "../dist/engine/step-runner.js";
import { memoryPolicies } from "../dist/memory/plan.js";
import { createRandom } from "../dist/tensor/random.js";
import { tensor, tensorOf } from "../dist/tensor/tensor.js";
import { findArchitecture } from "../dist/zoo/index.js";

const status = (field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;

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

async function child({ policy, budget, batch, steps, threads }) {
  const { step, feeds, wanted } = prepare(batch);
  const base = status("VmRSS");
  let plan;
  let runner;
  if (policy === "one session") runner = await openSession(step.graph, { threads });
  else {
    const memoryBudget = `${(budget ?? 1e12) / 1e6}MB`;
    plan = planWithin(step, { memoryBudget, memoryPolicy: policy }, base);
    runner = await openPlannedStep(plan.planned, { threads });
  }
  const times = [];
  let values = feeds;
  for (let i = 0; i < steps; i++) {
    const begun = performance.now();
    const results = await runner.run(values, wanted);
    times.push(performance.now() - begun);
    values = new Map([...values, ...[...step.states].map(([name, { next }]) => [name, results.get(next)])]);
  }
  const ms = times.toSorted((a, b) => a - b)[times.length >> 1];
  console.log(JSON.stringify({ policy, peak: status("VmHWM"), ms, ...plan?.decision }));
}

if (process.argv[2] === "--child") await child(JSON.parse(process.argv[3]));
else {
  const [batch = 256, steps = 3, ...only] = process.argv.slice(2).map((a) => Number(a) || a);
  const run = (job) =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [fileURLToPath(import.meta.url), "--child", JSON.stringify({ batch, steps, threads: 2, ...job })],
        { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
      ),
    );
  const mb = (bytes) => (bytes === null ? "-" : `${Math.round(bytes / 1e6)}`);
  const one = run({ policy: "one session" });
  const show = (r, budget) =>
    console.log(
      [
        r.policy,
        budget ? mb(budget) : "-",
        mb(r.predictedBytes ?? null),
        mb(r.peak),
        (r.peak / one.peak).toFixed(2),
        (r.ms / one.ms).toFixed(2),
        r.ranges,
        ((r.recomputedMacs ?? 0) / 1e9).toFixed(1),
        mb(r.offloadedBytes ?? null),
      ].join("\t"),
    );
  console.log("policy\tbudget\tpredicted MB\tpeak MB\tratio\ttime ratio\tranges\tGMACs again\toffloaded MB");
  show(one);
  for (const policy of memoryPolicies)
    if (only.length === 0 || only.includes(policy)) {
      if (policy !== "auto") show(run({ policy }));
      show(run({ policy, budget: one.peak / 2 }), one.peak / 2);
    }
}
