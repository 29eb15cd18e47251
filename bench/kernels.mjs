/**
 * The runtime's kernels beside onnxruntime, one thread, in alternation: `npm run build && node bench/kernels.mjs [filter]`.
 * A row is a chain of equal convolutions on one image, so that a call's own cost counts little; medians in microseconds a convolution, and
 * the ratios of onnxruntime-web's and onnxruntime-node's time to ours (above 1 is faster). Ours includes `spread`. `sparse` keeps
 * 10 % of the weights, which onnxruntime computes as any others. `int8` is the chain in QDQ form, which onnxruntime makes QLinearConv of; ours is
 * the runtime's network of it, which the last layer's floats and the first one's rounding belong to as well. `binary-weight` has weights of one
 * magnitude an output; `binary` takes the signs of its inputs too, beside onnxruntime's convolutions of floats without that.
 */
import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web/wasm";
import { writePare } from "../dist/format/write.js";
import { int, ints } from "../dist/graph/attributes.js";
import { GraphBuilder } from "../dist/graph/builder.js";
import { encodeModel } from "../dist/onnx/index.js";
import { chooseVariant, compileKernels } from "../dist/runtime/kernels/index.js";
import { layPlanes, packWeights, tapOffsets } from "../dist/runtime/kernels/pack.js";
import { gatheredBytes, isCrowded, packSparse } from "../dist/runtime/kernels/pack-sparse.js";
import { load } from "../dist/runtime/load.js";
import { createRandom } from "../dist/tensor/random.js";
import { tensor, tensorOf } from "../dist/tensor/tensor.js";

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
/** For forms that many channels are for. */
const wideShapes = [
  { size: 16, channels: [64, 64], kernel: 3 },
  { size: 32, channels: [64, 64], kernel: 3 },
  { size: 56, channels: [64, 64], kernel: 3 },
  { size: 16, channels: [128, 128], kernel: 3 },
  { size: 8, channels: [256, 256], kernel: 3 },
];
const forms = ["dense", "sparse", "int8", "binary-weight", "binary"];
const isBinary = (form) => form.startsWith("binary");

if (chooseVariant() === "plain") setFlagsFromString("--experimental-wasm-relaxed-simd");
web.env.wasm.numThreads = 1;

/** The chain's layers, channels to and fro. */
function layersOf({ channels, kernel }, form) {
  const random = createRandom(seed);
  return Array.from({ length: depth }, (_, i) => {
    const [inputs, outputs] = i % 2 === 0 ? channels : [...channels].reverse();
    const count = inputs * kernel * kernel;
    const scale = 1.7 / Math.sqrt(form === "sparse" ? count / 10 : count);
    const draw = () => (form !== "sparse" || random.uniform() < 0.1 ? (random.uniform() * 2 - 1) * scale : 0);
    const drawn = Float32Array.from({ length: outputs * count }, draw);
    const size = (i) => (1 + (Math.floor(i / count) % 7) / 7) / Math.sqrt(count);
    const weights = isBinary(form) ? drawn.map((value, i) => (value < 0 ? -size(i) : size(i))) : drawn;
    return { inputs, outputs, count, weights, bias: Float32Array.from({ length: outputs }, () => random.uniform()) };
  });
}

function graphOf({ size, kernel }, layers, form) {
  const g = new GraphBuilder("chain");
  const pad = (kernel - 1) / 2;
  let x = g.input("x", "float32", [1, layers[0].inputs, size, size]);
  for (const { inputs, outputs, weights, bias } of layers) {
    const w = g.initializer("w", tensor("float32", [outputs, inputs, kernel, kernel], weights));
    const b = g.initializer("b", tensor("float32", [outputs], bias));
    if (form === "binary") x = g.op("Sign", [x]);
    x = g.op("Conv", [x, w, b], { kernel_shape: ints([kernel, kernel]), pads: ints([pad, pad, pad, pad]) });
  }
  g.output(x, { dtype: "float32", shape: [1, layers.at(-1).outputs, size, size] });
  return g.build();
}

/** The chain between 8-bit numbers of one scale, weights in 8 bits as well. */
function int8GraphOf({ size, kernel }, layers) {
  const g = new GraphBuilder("chain");
  const pad = (kernel - 1) / 2;
  const constant = (dtype, shape, values) => g.initializer("c", tensorOf(dtype, shape, values));
  const activation = [constant("float32", [], [2 / 255]), constant("uint8", [], [128])];
  const rounded = (x) => g.op("DequantizeLinear", [g.op("QuantizeLinear", [x, ...activation]), ...activation]);
  const parameter = (dtype, shape, values, scale) => {
    const levels = constant(
      dtype,
      shape,
      values.map((value) => Math.round(value / scale)),
    );
    const constants = [constant("float32", shape.slice(0, 1), new Array(shape[0]).fill(scale))];
    constants.push(constant(dtype, shape.slice(0, 1), new Array(shape[0]).fill(0)));
    return g.op("DequantizeLinear", [levels, ...constants], { axis: int(0) });
  };
  let x = rounded(g.input("x", "float32", [1, layers[0].inputs, size, size]));
  for (const { inputs, outputs, weights, bias } of layers) {
    const scale = Math.fround(weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    const w = parameter("int8", [outputs, inputs, kernel, kernel], [...weights], scale);
    const b = parameter("int32", [outputs], [...bias], (scale * 2) / 255);
    x = rounded(g.op("Conv", [x, w, b], { kernel_shape: ints([kernel, kernel]), pads: ints([pad, pad, pad, pad]) }));
  }
  g.output(x, { dtype: "float32", shape: [1, layers.at(-1).outputs, size, size] });
  return g.build();
}

async function ourNetwork(graph, variant, image) {
  const network = await load(writePare(graph), { variant });
  return () => Object.values(network.run(image))[0];
}

async function ourChain({ size, kernel }, layers, form, variant, image) {
  const memory = new WebAssembly.Memory({ initial: 512 });
  const kernels = await compileKernels(["spread", "conv", "sparseConv"], memory, variant);
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
  const window = { ...same, kernel: [kernel, kernel] };
  const gathers = form === "sparse" && isCrowded(window);
  const planes = layPlanes(window, gathers ? Number.POSITIVE_INFINITY : undefined);
  const room = put(new Float32Array((most * planes.channelBytes) / 4));
  const laid = layers.map(({ inputs, outputs, count, weights, bias }) => {
    const taps = tapOffsets(gathers ? { ...planes, channelBytes: gatheredBytes } : planes, inputs);
    const sparse = form === "sparse";
    const packed = put(sparse ? packSparse(weights, outputs, taps) : packWeights(weights, outputs, count));
    return { inputs, outputs, count, packed, taps: put(taps), bias: put(bias) };
  });
  const { spread, oh, ow, rowBytes, channelBytes } = planes;
  return () => {
    new Float32Array(memory.buffer, values[0], image.length).set(image);
    for (const [i, { inputs, outputs, count, packed, taps, bias }] of laid.entries()) {
      const [from, to] = i % 2 === 0 ? values : [...values].reverse();
      const src = spread === undefined ? from : room;
      if (spread !== undefined) kernels.spread(from, room, inputs, ...spread, 0);
      const rest = [bias, 0, to, outputs, oh, ow, rowBytes, -Infinity, Infinity];
      const gathered = gathers ? [room, inputs, channelBytes] : [0, 0, 0];
      if (form === "sparse") kernels.sparseConv(src, packed, ...rest, ...gathered);
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
  const graph = form === "int8" ? int8GraphOf(shape, layers) : graphOf(shape, layers, form);
  const model = encodeModel(form === "binary" ? graphOf(shape, layers) : graph);
  const random = createRandom(seed + 1);
  const image = Float32Array.from({ length: layers[0].inputs * shape.size ** 2 }, () => random.uniform() * 2 - 1);
  const dims = [1, layers[0].inputs, shape.size, shape.size];
  const ours = (variant) =>
    form === "int8" || isBinary(form)
      ? ourNetwork(graph, variant, image)
      : ourChain(shape, layers, form, variant, image);
  const runs = {
    web: await ortChain(web, model, image, dims),
    node: await ortChain(node, model, image, dims),
    plain: await ours("plain"),
    // The kernels on integers are the same in both variants.
    ...(chooseVariant() === "relaxed" && form !== "int8" && { relaxed: await ours("relaxed") }),
  };
  const truth = await (await ortChain(node, encodeModel(graph), image, dims))();
  for (const [name, run] of Object.entries(runs)) {
    const got = await run();
    const error = truth.reduce((most, value, i) => Math.max(most, Math.abs(got[i] - value)), 0);
    // A rounding to the other side moves what comes behind it by a step or two, of 2 / 255.
    const isOther = form === "binary" && (name === "web" || name === "node");
    if (!isOther && !(error < (form === "int8" ? 0.05 : 1e-3)))
      throw new Error(`${name} differs from onnxruntime-node by ${error}`);
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
  const variants = ["plain", "relaxed"].filter((name) => name in times);
  const cells = variants.map(
    (v) => `${v} ${median(times[v]).toFixed(0)} us: web ${ratio("web", v)}x, node ${ratio("node", v)}x`,
  );
  const { size, channels, kernel } = shape;
  const name = `${form} ${kernel}x${kernel} ${channels.join("-")} at ${size}x${size}`;
  return `${name.padEnd(37)} web ${median(times.web).toFixed(0)} us   ${cells.join("   ")}`;
}

console.log(`${cpus()[0].model}, Node.js ${process.version}, onnxruntime-web ${web.env.versions.web}`);
console.log(`seed ${seed}, ${rounds} rounds of 4 runs of ${depth} convolutions, medians\n`);
for (const shape of [...shapes, ...wideShapes])
  for (const form of forms.filter((form) => isBinary(form) || shapes.includes(shape))) {
    const name = `${form} ${shape.kernel}x${shape.kernel} ${shape.channels.join("-")} at ${shape.size}x${shape.size}`;
    if (name.includes(process.argv[2] ?? "")) console.log(await row(shape, form));
  }
