/**
 * Whole networks in netpare's runtime beside onnxruntime, one image, one thread: `npm run bench:runtime`. The published models lie in
 * `data/models/` in the folder that NETPARE_SHARED names (`../shared` where it is not set); without them, three of the zoo.
 * Times of a run in alternation, medians and quartiles of the ratios of onnxruntime-web's and onnxruntime-node's time to ours (above 1 is faster).
 * Then what a page waits for: importing the library, loading and the first result, each in a fresh process with the model's bytes in
 * memory. In the end the kernels' own table (bench/kernels.mjs), unless networks are named.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { createRandom } from "../dist/tensor/random.js";

const seed = 1;
const rounds = 41;
const firsts = 5;
const self = fileURLToPath(import.meta.url);
const root = fileURLToPath(new URL("..", import.meta.url));

const isFirst = process.argv[2] === "--first";

// First results are those of plain SIMD, in a process as users start one: Node compiles its own modules anew where a flag was set.
if (!isFirst) setFlagsFromString("--experimental-wasm-relaxed-simd");

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const quartile = (values, share) => [...values].sort((a, b) => a - b)[Math.round(share * (values.length - 1))];
const pixelsOf = (count) => {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => random.uniform() * 2 - 1);
};

/** How each engine is opened: a promise of a function from pixels to the first output. */
const engines = {
  async plain({ pare }) {
    const { load } = await import("netpare/runtime");
    const { run, outputs } = await load(pare, { variant: "plain" });
    return (pixels) => run(pixels)[outputs[0].name];
  },
  async relaxed({ pare }) {
    const { load } = await import("netpare/runtime");
    const { run, outputs } = await load(pare, { variant: "relaxed" });
    return (pixels) => run(pixels)[outputs[0].name];
  },
  async web(model) {
    const ort = await import("onnxruntime-web/wasm");
    ort.env.wasm.numThreads = 1;
    return openSession(ort, model);
  },
  async node(model) {
    return openSession(await import("onnxruntime-node"), model);
  },
};

async function openSession(ort, { onnx, shape }) {
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [input, output] = [session.inputNames[0], session.outputNames[0]];
  return async (pixels) => (await session.run({ [input]: new ort.Tensor("float32", pixels, shape) }))[output].data;
}

/** One engine's time in milliseconds from nothing but the model's bytes to the first result; the body of a fresh process. */
async function first(engine, folder) {
  const shape = JSON.parse(readFileSync(join(folder, "shape.json"), "utf8"));
  const model = {
    shape,
    onnx: readFileSync(join(folder, "model.onnx")),
    pare: readFileSync(join(folder, "model.pare")),
  };
  const pixels = pixelsOf(shape.reduce((a, b) => a * b, 1));
  const start = performance.now();
  const run = await engines[engine](model);
  await run(pixels);
  console.log(performance.now() - start);
}

/** A network simplified, as both files and on disk. */
async function prepare(name, folder) {
  const { readModel, encodeModel } = await import("../dist/onnx/index.js");
  const { simplify } = await import("../dist/passes/index.js");
  const { writePare } = await import("../dist/format/write.js");
  const { load } = await import("../dist/runtime/index.js");
  const { findArchitecture } = await import("../dist/zoo/index.js");
  const file = join(sharedModels, `${name}.onnx`);
  const read = existsSync(file) ? await readModel(file) : findArchitecture(name).build({}, createRandom(seed));
  const { graph } = simplify(read);
  const model = { onnx: encodeModel(graph), pare: writePare(graph) };
  const { shape } = (await load(model.pare)).inputs[0];
  writeFileSync(join(folder, "shape.json"), JSON.stringify(shape));
  writeFileSync(join(folder, "model.onnx"), model.onnx);
  writeFileSync(join(folder, "model.pare"), model.pare);
  return { ...model, shape };
}

async function steady(model) {
  const pixels = pixelsOf(model.shape.reduce((a, b) => a * b, 1));
  const runs = Object.fromEntries(
    await Promise.all(Object.entries(engines).map(async ([name, open]) => [name, await open(model)])),
  );
  const truth = await runs.node(pixels);
  const scale = Math.max(...truth.map(Math.abs));
  const calls = {};
  for (const [name, run] of Object.entries(runs)) {
    const got = await run(pixels);
    const error = Math.max(...truth.map((value, i) => Math.abs(got[i] - value))) / scale;
    if (!(error < 1e-4)) throw new Error(`${name} differs from onnxruntime-node by ${error} of the largest output`);
    // Engines compile hot code beside the run: give them the time.
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < 300 || count < 4; count++) await run(pixels);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // About 5 ms in a row, so that the clock's grain and the alternation itself count little.
    calls[name] = Math.max(1, Math.round((5 * count) / 300));
  }
  const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(runs)) {
      await run(pixels);
      const start = performance.now();
      for (let i = 0; i < calls[name]; i++) await run(pixels);
      times[name].push((performance.now() - start) / calls[name]);
    }
  return times;
}

/** `1.42x (1.38-1.47)`: the median ratio and its quartiles. */
function ratio(peer, ours) {
  const ratios = peer.map((time, i) => time / ours[i]);
  const [low, high] = [quartile(ratios, 0.25), quartile(ratios, 0.75)];
  return `${median(ratios).toFixed(2)}x (${low.toFixed(2)}-${high.toFixed(2)})`;
}

function cold(engine, folder) {
  const one = () => Number(execFileSync(process.execPath, [self, "--first", engine, folder], { encoding: "utf8" }));
  return one;
}

function firstResults(folder) {
  const [ours, web] = ["plain", "web"].map((engine) => cold(engine, folder));
  const times = { ours: [], web: [] };
  for (let i = 0; i < firsts; i++) {
    times.ours.push(ours());
    times.web.push(web());
  }
  const ms = (values) => `${median(values).toFixed(1)} ms`;
  return `load and first result: ${ms(times.ours)}, web ${ms(times.web)}: ${ratio(times.web, times.ours)} sooner`;
}

async function compare(name) {
  const folder = mkdtempSync(join(tmpdir(), "netpare-bench-"));
  try {
    const model = await prepare(name, folder);
    const times = await steady(model);
    console.log(`${name}, input ${model.shape.join("x")}, .pare ${(model.pare.length / 1024).toFixed(0)} KiB`);
    const line = Object.entries(times).map(([engine, values]) => `${engine} ${median(values).toFixed(3)} ms`);
    console.log(`  ${line.join(", ")}`);
    for (const ours of ["plain", "relaxed"])
      console.log(`  ${ours.padEnd(8)} web ${ratio(times.web, times[ours])}, node ${ratio(times.node, times[ours])}`);
    console.log(`  ${firstResults(folder)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sharedModels = join(process.env.NETPARE_SHARED ?? join(root, "../shared"), "data/models");

if (isFirst) await first(process.argv[3], process.argv[4]);
else {
  const asked = process.argv.slice(2);
  const published = existsSync(sharedModels) ? readdirSync(sharedModels).filter((file) => file.endsWith(".onnx")) : [];
  const names = [asked, published, ["lenet-5", "resnet-20", "faces-net"]].find(({ length }) => length > 0);
  const { env } = await import("onnxruntime-web/wasm");
  console.log(
    `${cpus()[0].model}, ${cpus().length} cores, Node.js ${process.version}, onnxruntime-web ${env.versions.web}`,
  );
  console.log(`seed ${seed}, ${rounds} rounds, ${firsts} fresh processes; median (quartiles)\n`);
  for (const name of names) await compare(basename(name, ".onnx"));
  if (asked.length === 0) {
    console.log("kernels:");
    process.argv.length = 2;
    await import("./kernels.mjs");
  }
}
