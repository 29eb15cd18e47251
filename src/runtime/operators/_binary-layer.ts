/**
 * Layers whose weights are one magnitude an output and a sign each: Conv, and Gemm over rows of outputs. Where a Sign alone writes a
 * convolution's input, signs meet signs in bytes; otherwise sums of four channels meet one product. The signs become offsets when the network is
 * loaded; the weights never lie decoded.
 */
import type { ProgramNode, SymbolContent } from "../../format/read.ts";
import { attribute, type Build, behind, type Place } from "../build.ts";
import { layPlanes } from "../kernels/pack.ts";
import { packSums, packXnor, planXnor, type Signs } from "../kernels/pack-binary.ts";
import { type Closing, closing } from "./_bounds.ts";
import { spreadInput, windowOf } from "./_window.ts";

/** Fewer additions a channel than this do not pay for its sums. */
const leastUses = 16;
/** What sums of 16 bits hold. */
const mostTerms = 32767;
/** Bytes of planes that a few outputs' pixels read at once and a first-level cache holds. */
const cacheBytes = 24 * 1024;
const lineBytes = 64;

/** Puts the steps of a layer of binary weights, and says whether `node` is one. */
export function addBinaryLayer(build: Build, node: ProgramNode): boolean {
  const content = binaryWeights(build, node);
  if (content === undefined) return false;
  if (node.op === "Conv") addConv(build, node, content);
  else addGemm(build, node, content);
  return true;
}

/** Whether `node` reads its input's signs itself, so that a Sign that it alone reads need not be computed. */
export function takesSigns(build: Build, node: ProgramNode | undefined): boolean {
  if (node?.op !== "Conv" || binaryWeights(build, node) === undefined) return false;
  const [, ...terms] = build.shape(node.inputs[1]!);
  return terms.reduce((product, size) => product * size, 1) <= mostTerms;
}

function binaryWeights(build: Build, node: ProgramNode): SymbolContent | undefined {
  const weight = node.inputs[1] ?? -1;
  const content = build.program.tensors.get(weight)?.content;
  if (content?.form !== "symbols") return undefined;
  const [first, second = -first!] = content.table as [number, number?];
  if (content.table.length > 2 || first === 0 || first + second !== 0) return undefined;
  const [outputs, channels, ...kernel] = build.shape(weight) as [number, number, ...number[]];
  if (node.op === "Gemm") {
    const plain = attribute(node, "transB", 0) === 1 && attribute(node, "transA", 0) === 0;
    const bias = node.inputs[2] ?? -1;
    return plain && (bias < 0 || build.size(bias) === outputs) && outputs >= leastUses ? content : undefined;
  }
  if (node.op !== "Conv" || channels === 1) return undefined;
  const taps = kernel.reduce((product, size) => product * size, 1);
  return (outputs / attribute(node, "group", 1)) * taps >= leastUses ? content : undefined;
}

/** Signs of all weights, and the magnitude of each output's. */
function decode({ table, scales, symbols }: SymbolContent, outputs: number, factor = 1) {
  const signs = symbols().map((symbol) => (table[symbol]! < 0 ? 1 : 0));
  const magnitude = Math.abs(table[0]!);
  const sizes = Float32Array.from({ length: outputs }, (_, o) => factor * Math.fround(magnitude * (scales?.[o] ?? 1)));
  return { signs, scales: sizes };
}

function addConv(build: Build, node: ProgramNode, content: SymbolContent): void {
  const [input, weight, bias = -1] = node.inputs as [number, number, number?];
  const [outputs, channels, ...kernel] = build.shape(weight) as [number, number, ...number[]];
  const { signs, scales } = decode(content, outputs);
  const sign = build.program.nodes.find(({ op, outputs: [value] }) => op === "Sign" && value === input);
  const xnor = sign !== undefined && takesSigns(build, node);
  const window = windowOf(build, node, kernel);
  const reader = xnor ? { ...node, inputs: [sign.inputs[0]!] } : node;
  const planes = layPlanes(window, Number.POSITIVE_INFINITY);
  const { src } = spreadInput(build, reader, window, xnor ? Number.NaN : 0, planes);
  const close = closing(build, node.outputs[0]!);
  const dst = build.write(close.output);
  const biases = build.put(bias < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(bias)));
  const group = attribute(node, "group", 1);
  const own = outputs / group;
  const map = own * planes.oh * planes.ow * 4;
  const add = xnor ? addXnor : addSums;
  for (let g = 0; g < group; g++)
    add(build, {
      signs: signs.subarray((g * signs.length) / group),
      outputs: own,
      channels,
      taps: planes.taps,
      scales: scales.subarray(g * own, (g + 1) * own),
      biases: behind(biases, 4 * g * own),
      src: behind(src, g * channels * planes.channelBytes),
      channelBytes: planes.channelBytes,
      oh: planes.oh,
      ow: planes.ow,
      rowBytes: planes.rowBytes,
      dst: behind(dst, g * map),
      close: { ...close, residual: typeof close.residual === "number" ? 0 : behind(close.residual, g * map) },
    });
}

function addGemm(build: Build, node: ProgramNode, content: SymbolContent): void {
  const [x, weight, c = -1] = node.inputs as [number, number, number?];
  const [outputs, channels] = build.shape(weight) as [number, number];
  const layer = { ...decode(content, outputs, attribute(node, "alpha", 1)), outputs, channels, taps: [0] };
  const beta = attribute(node, "beta", 1);
  const bias = c < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(c), (value) => value * beta);
  const src = build.read(x);
  const { output, residual, lo, hi } = closing(build, node.outputs[0]!);
  const dst = build.write(output);
  const biases = build.put(bias);
  const stream = build.put(packSums(layer, layer.scales, 4, 0, channels));
  for (let row = 0; row < build.size(x) / channels; row++) {
    const sums = build.scratch(channels * 8 + lineBytes);
    build.call("sums", behind(src, 4 * row * channels), sums, channels, 1, 4, 4);
    const at = 4 * row * outputs;
    const beside = typeof residual === "number" ? 0 : behind(residual, at);
    build.call("sparseGemm", sums, stream, biases, beside, behind(dst, at), outputs, lo, hi);
  }
}

/** One group of a convolution. */
interface Layer extends Signs {
  readonly scales: Float32Array;
  readonly biases: Place;
  readonly src: Place;
  readonly channelBytes: number;
  readonly oh: number;
  readonly ow: number;
  readonly rowBytes: number;
  readonly dst: Place;
  readonly close: Closing;
}

const upTo16 = (bytes: number) => Math.ceil(bytes / 16) * 16;

function addXnor(build: Build, layer: Layer): void {
  const { outputs, channels, channelBytes, oh, ow, rowBytes, biases, src, dst, close } = layer;
  const pixels = channelBytes / 4;
  const planeBytes = upTo16(pixels);
  const inBytes = { ...layer, taps: Array.from(layer.taps, (tap) => tap / 4) };
  const plan = planXnor(inBytes, pixels);
  const stream = packXnor(inBytes, plan, planeBytes);
  const planes = build.scratch(Math.ceil(channels / plan.group) * 2 ** plan.group * planeBytes);
  build.call("signSums", src, planes, channels, plan.group, pixels, channelBytes, planeBytes, 0, 0);
  const scales = build.put(layer.scales);
  const totals = build.scratch(128 * outputs);
  const before = [planes, build.put(stream), stream.length / outputs, plan.part, scales, biases] as const;
  const map = [outputs, oh, ow, rowBytes / 4, totals, close.lo, close.hi] as const;
  build.call("xnorConv", ...before, close.residual, dst, ...map);
}

/** Some channels at a time, on top of those before, so that the planes of their sums stay in the cache. */
function addSums(build: Build, layer: Layer): void {
  const { outputs, channels, taps, channelBytes, oh, ow, rowBytes, src, dst, close } = layer;
  const planeBytes = upTo16(channelBytes) + (channelBytes % 256 === 0 ? lineBytes : 0);
  const rows = taps.length === 1 ? 1 : 2 * Math.ceil(Math.sqrt(taps.length));
  const most = 4 * Math.max(1, Math.floor(cacheBytes / (8 * rows * lineBytes)));
  const step = Math.min(channels, most);
  const zeros = channels > step ? build.put(new Float32Array(outputs)) : layer.biases;
  for (let first = 0; first < channels; first += step) {
    const end = Math.min(channels, first + step);
    const planes = build.scratch(Math.ceil((end - first) / 4) * 8 * planeBytes);
    const from = behind(src, first * channelBytes);
    build.call("sums", from, planes, end - first, channelBytes / 4, channelBytes, planeBytes);
    const [lo, hi] = end === channels ? [close.lo, close.hi] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const [bias, beside] = first === 0 ? [layer.biases, close.residual] : [zeros, dst];
    const stream = build.put(packSums(layer, layer.scales, planeBytes, first, end));
    build.call("sparseConv", planes, stream, bias, beside, dst, outputs, oh, ow, rowBytes, lo, hi);
  }
}
