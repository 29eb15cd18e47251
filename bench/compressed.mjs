/**
 * A network pruned and shared in one shot, as a file and in the runtime: `npm run build && node bench/compressed.mjs [sparsity [bits [scope]]]`
 * (default 0.9, 4, layer) on cifar10_resnet32 of NETPARE_SHARED/data/models (`../shared` where it is not set).
 * The pared network's scores are checked against onnxruntime's. Printed: bytes of the file beside the zero-order entropies of its streams; the time of an image, dense and pared in alternation in one
 * process, medians of runs; what each kernel takes of both; and the memory. Accuracy is no part of it: one shot costs much.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { entropyBits } from "../dist/codec/entropy.js";
import { readPare } from "../dist/format/read-pare.js";
import { writePare } from "../dist/format/write.js";
import { createRandom, findMethod, openSession, readModel, shippingPasses, simplify, tensorOf } from "../dist/index.js";
import { Build } from "../dist/runtime/build.js";
import { load } from "../dist/runtime/index.js";
import { chooseVariant, compileKernels } from "../dist/runtime/kernels/index.js";
import { forms, operators } from "../dist/runtime/operators/index.js";

const [sparsity = "0.9", bits = "4", scope = "layer"] = process.argv.slice(2);
const seed = 1;
const rounds = 60;
const runsPerRound = 5;

const shared = process.env.NETPARE_SHARED ?? fileURLToPath(new URL("../../shared", import.meta.url));
if (chooseVariant() === "plain") setFlagsFromString("--experimental-wasm-relaxed-simd");

async function apply(name, graph, given) {
  const method = findMethod(name);
  const context = { seed, samples: undefined, models: new Map(), progress: () => {} };
  return (await method.apply(graph, method.params.parse(given), context)).graph;
}

/** Bytes that the streams of a program's constants take, and would take at the entropy of their symbols; raw ones as they are. */
function streamsOf(program) {
  const streams = { written: 0, entropy: 0, symbols: 0 };
  const entropy = ({ content, storedBytes }) => {
    if (content.form === "symbols") return entropyBits(content.symbols()) / 8;
    if (content.form === "sparse") return entropyBits(content.positions()) / 8 + entropy(content.values);
    return storedBytes;
  };
  for (const tensor of program.tensors.values()) {
    streams.written += tensor.storedBytes;
    streams.entropy += entropy(tensor);
    if (tensor.content.form === "symbols") streams.symbols += tensor.storedBytes;
  }
  return streams;
}

/** Microseconds that each kernel takes in one run, the median step by step. */
async function profile(file) {
  const program = readPare(file);
  const build = new Build(program, undefined, forms);
  for (const node of program.nodes) if (!build.fused.has(node)) operators.get(node.op)(build, node);
  const { bytes } = build.layOut();
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  const names = new Set(["pack"].concat(build.steps.flatMap((step) => step.kernel ?? [])));
  const kernels = await compileKernels(names, memory);
  build.fill(new Uint8Array(memory.buffer), kernels);
  const view = new Float32Array(memory.buffer);
  const address = (operand) => (typeof operand === "number" ? operand : operand.region.address + operand.offset);
  const calls = build.steps.map((step) => {
    const operands = step.operands.map(address);
    return "act" in step ? () => step.act(view, ...operands) : () => kernels[step.kernel](...operands);
  });
  const times = calls.map(() => []);
  for (let run = 0; run < 300; run++)
    for (const [i, call] of calls.entries()) {
      const start = performance.now();
      call();
      if (run >= 100) times[i].push(1000 * (performance.now() - start));
    }
  const sums = new Map();
  for (const [i, step] of build.steps.entries()) {
    const name = step.kernel ?? "copies";
    const { time = 0, steps = 0 } = sums.get(name) ?? {};
    sums.set(name, { time: time + median(times[i]), steps: steps + 1 });
  }
  return [...sums].sort((a, b) => b[1].time - a[1].time);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

const dense = simplify(await readModel(join(shared, "data/models/cifar10_resnet32.onnx")), shippingPasses).graph;
const pruned = await apply("prune-magnitude", dense, { sparsity: Number(sparsity), scope });
const pared = simplify(await apply("cluster-weights", pruned, { bits: Number(bits) }), shippingPasses).graph;
const files = { dense: writePare(dense), pared: writePare(pared) };
const program = readPare(files.pared);
const { written, entropy, symbols } = streamsOf(program);

console.log(`${cpus()[0].model}, Node.js ${process.version}, ${chooseVariant()} SIMD, seed ${seed}`);
console.log(`cifar10_resnet32, sparsity ${sparsity} by ${scope}, ${bits} bits\n`);
const over = (100 * (files.pared.length - 2000 - entropy)) / entropy;
console.log(`file: dense ${kilobytes(files.dense.length)}, pared ${kilobytes(files.pared.length)}`);
console.log(
  `  its streams ${kilobytes(written)} (symbols ${kilobytes(symbols)}), at their entropies ${kilobytes(entropy)}; file less 2 kB: ${over.toFixed(1)} % above these`,
);

const networks = { dense: await load(files.dense), pared: await load(files.pared) };
const [{ shape }] = networks.dense.inputs;
const random = createRandom(seed);
const image = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal());
const session = await openSession(pared);
const [[output, { data: truth }]] = await session.run(
  new Map([[networks.pared.inputs[0].name, tensorOf("float32", [...shape], image)]]),
);
const scores = networks.pared.run(image)[output];
const error = truth.reduce((most, value, i) => Math.max(most, Math.abs(value - scores[i])), 0);
if (!(error < 1e-4 * Math.max(...truth.map(Math.abs)))) throw new Error(`differs from onnxruntime by ${error}`);
const run = (name) => {
  const start = performance.now();
  for (let i = 0; i < runsPerRound; i++) networks[name].run(image);
  return (performance.now() - start) / runsPerRound;
};
for (const name of Object.keys(networks)) for (let i = 0; i < 20; i++) run(name);
await new Promise((resolve) => setTimeout(resolve, 100));
const times = { dense: [], pared: [] };
for (let round = 0; round < rounds; round++)
  for (const name of round % 2 ? ["pared", "dense"] : ["dense", "pared"]) times[name].push(run(name));
const ratios = times.dense.map((time, i) => time / times.pared[i]).toSorted((a, b) => a - b);
const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => ratios[Math.floor(share * ratios.length)].toFixed(2));
console.log(
  `time: dense ${median(times.dense).toFixed(3)} ms, pared ${median(times.pared).toFixed(3)} ms, ratio ${middle} (p10 ${low}, p90 ${high})`,
);
for (const name of ["dense", "pared"]) {
  const parts = await profile(files[name]);
  const line = parts.map(([kernel, { time, steps }]) => `${kernel} ${time.toFixed(0)} (${steps})`).join(", ");
  console.log(`  ${name}, us by kernel (steps): ${line}`);
}
console.log(
  `memory: dense ${kilobytes(networks.dense.memoryBytes)}, pared ${kilobytes(networks.pared.memoryBytes)}, activations ${kilobytes(networks.pared.activationBytes)}`,
);
