/**
 * The runtime's kernels beside onnxruntime, one thread, in alternation: `npm run build && node bench/kernels.mjs [filter]`.
 * A row is a chain of equal convolutions on one image, so that a call's own cost counts little; medians in microseconds a convolution, and
 * the ratios of onnxruntime-web's and onnxruntime-node's time to ours (above 1 is faster). Ours includes `spread`. `sparse` keeps
 * 10 % of the weights, which onnxruntime computes as any others.
 */
import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web/wasm";
import { ints } from "../dist/graph/attributes.js";
import { GraphBuilder } from "../dist/graph/builder.js";
import { encodeModel } from "../dist/onnx/index.js";
import { chooseVariant, compileKernels } from "../dist/runtime/kernels/index.js";
import { kernelModules } from "../dist/runtime/kernels/modules.js";
import { layPlanes, packSparse, packWeights, tapOffsets } from "../dist/runtime/kernels/pack.js";
import { createRandom } from "../dist/tensor/random.js";
import { tensor } from "../dist/tensor/tensor.js";

const seed = 1;
const rounds = 15;
const depth = 8;
const shapes = [
  { size: 32, channels: [16, 16], kernel: 3 },
  { size: 16, channels: [32, 32], kernel: 3 },
  { size: 8, channels: [64, 64], kernel: 3 },
  { size: 4, channels: [128, 128], kernel: 3 },
  { size: 7, channels: [64, 64], kernel: 3 },
  { size: 32, channels: [64, 64], kernel: 1 },
  { size: 16, channels: [64, 256], kernel: 1 },
  { size: 8, channels: [256, 256], kernel: 1 },
  { size: 7, channels: [128, 128], kernel: 1 },
];
const forms = ["dense", "sparse"];

if (chooseVariant() === "plain") setFlagsFromString("--experimental-wasm-relaxed-simd");
web.env.wasm.numThreads = 1;

/** The chain's layers, channels to and fro. */
function layersOf({ channels, kernel }, form) {
  const random = createRandom(seed);
  return Array.from({ length: depth }, (_, i) => {
    const [inputs, outputs] = i % 2 === 0 ? channels : [...channels].reverse();
    const count = inputs * kernel * kernel;
    const scale = 1.7 / Math.sqrt(form === "dense" ? count : count / 10);
    const draw = () => (form === "dense" || random.uniform() < 0.1 ? (random.uniform() * 2 - 1) * scale : 0);
    const weights = Float32Array.from({ length: outputs * count }, draw);
    return { inputs, outputs, count, weights, bias: Float32Array.from({ length: outputs }, () => random.uniform()) };
  });
}

function modelOf({ size, kernel }, layers) {
  const g = new GraphBuilder("chain");
  const pad = (kernel - 1) / 2;
  let x = g.input("x", "float32", [1, layers[0].inputs, size, size]);
  for (const { inputs, outputs, weights, bias } of layers) {
    const w = g.initializer("w", tensor("float32", [outputs, inputs, kernel, kernel], weights));
    const b = g.initializer("b", tensor("float32", [outputs], bias));
    x = g.op("Conv", [x, w, b], { kernel_shape: ints([kernel, kernel]), pads: ints([pad, pad, pad, pad]) });
  }
  g.output(x, { dtype: "float32", shape: [1, layers.at(-1).outputs, size, size] });
  return encodeModel(g.build());
}

async function ourChain({ size, kernel }, layers, form, variant, image) {
  const memory = new WebAssembly.Memory({ initial: 512 });
  const kernels = await compileKernels(["spread", "conv", "sparseConv"], memory, variant, kernelModules);
  let top = 1024;
  const put = (data) => {
    const at = top;
    new Uint8Array(memory.buffer, at).set(new Uint8Array(data.buffer));
    top = Math.ceil((top + data.byteLength + 64) / 64) * 64;
    return at;
  };
  const most = Math.max(...layers.flatMap(({ inputs, outputs }) => [inputs, outputs]));
  const values = [put(new Float32Array(most * size * size)), put(new Float32Array(most * size * size))];
  const pad = (kernel - 1) / 2;
  const same = { h: size, w: size, oh: size, ow: size, top: pad, left: pad, strides: [1, 1], dilations: [1, 1] };
  const planes = layPlanes({ ...same, kernel: [kernel, kernel] });
  const room = put(new Float32Array((most * planes.channelBytes) / 4));
  const laid = layers.map(({ inputs, outputs, count, weights, bias }) => {
    const taps = tapOffsets(planes, inputs);
    const sparse = form === "sparse";
    const packed = put(sparse ? packSparse(weights, outputs, taps) : packWeights(weights, outputs, count));
    return { inputs, outputs, count, packed, taps: put(taps), bias: put(bias) };
  });
  const { spread, oh, ow, rowBytes } = planes;
  return () => {
    new Float32Array(memory.buffer, values[0], image.length).set(image);
    for (const [i, { inputs, outputs, count, packed, taps, bias }] of laid.entries()) {
      const [from, to] = i % 2 === 0 ? values : [...values].reverse();
      const src = spread === undefined ? from : room;
      if (spread !== undefined) kernels.spread(from, room, inputs, ...spread, 0);
      const rest = [bias, 0, to, outputs, oh, ow, rowBytes, -Infinity, Infinity];
      if (form === "sparse") kernels.sparseConv(src, packed, ...rest);
      else kernels.conv(src, taps, count, packed, ...rest);
    }
    return new Float32Array(memory.buffer, values[depth % 2], layers.at(-1).outputs * size * size).slice();
  };
}

async function ortChain(ort, model, image, shape) {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return async () => (await session.run({ x: new ort.Tensor("float32", image, shape) }))[session.outputNames[0]].data;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function row(shape, form) {
  const layers = layersOf(shape, form);
  const model = modelOf(shape, layers);
  const random = createRandom(seed + 1);
  const image = Float32Array.from({ length: layers[0].inputs * shape.size ** 2 }, () => random.uniform() * 2 - 1);
  const dims = [1, layers[0].inputs, shape.size, shape.size];
  const runs = {
    web: await ortChain(web, model, image, dims),
    node: await ortChain(node, model, image, dims),
    plain: await ourChain(shape, layers, form, "plain", image),
    ...(chooseVariant() === "relaxed" && { relaxed: await ourChain(shape, layers, form, "relaxed", image) }),
  };
  const truth = await runs.node();
  for (const [name, run] of Object.entries(runs)) {
    const got = await run();
    const error = Math.max(...truth.map((value, i) => Math.abs(got[i] - value)));
    if (!(error < 1e-3)) throw new Error(`${name} differs from onnxruntime-node by ${error}`);
    // Engines compile hot code beside the run: give them the time.
    for (const start = performance.now(); performance.now() - start < 150; ) await run();
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let i = 0; i < 10; i++) await run();
  }
  const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(runs)) {
      const start = performance.now();
      for (let i = 0; i < 4; i++) await run();
      times[name].push(((performance.now() - start) / 4 / depth) * 1000);
    }
  const ratio = (peer, ours) => median(times[peer].map((time, i) => time / times[ours][i])).toFixed(2);
  const ours = ["plain", "relaxed"].filter((name) => name in times);
  const cells = ours.map(
    (v) => `${v} ${median(times[v]).toFixed(0)} us: web ${ratio("web", v)}x, node ${ratio("node", v)}x`,
  );
  const { size, channels, kernel } = shape;
  const name = `${form} ${kernel}x${kernel} ${channels.join("-")} at ${size}x${size}`;
  return `${name.padEnd(30)} web ${median(times.web).toFixed(0)} us   ${cells.join("   ")}`;
}

console.log(`${cpus()[0].model}, Node.js ${process.version}, onnxruntime-web ${web.env.versions.web}`);
console.log(`seed ${seed}, ${rounds} rounds of 4 runs of ${depth} convolutions, medians\n`);
for (const shape of shapes)
  for (const form of forms) {
    const name = `${form} ${shape.kernel}x${shape.kernel} ${shape.channels.join("-")} at ${shape.size}x${shape.size}`;
    if (name.includes(process.argv[2] ?? "")) console.log(await row(shape, form));
  }
