/**
 * Layers whose weights are one magnitude an output and a sign each: Conv, and Gemm over rows of outputs. Where a Sign writes a
 * convolution's input, signs meet signs in bytes, and its product by a map of scales (XNOR-Net's K) is taken as well; otherwise sums of four
 * channels meet one product. The signs become offsets when the network is loaded; the weights never lie decoded.
 */
import type { ProgramNode, SymbolContent } from "../../format/read.ts";
import { attribute, type Build, behind, type Operand, type Place } from "../build.ts";
import { layPlanes, type Planes, type Window } from "../kernels/pack.ts";
import { packSums, packXnor, type Signs, termsOf, xnorTables } from "../kernels/pack-binary.ts";
import { type Closing, closing } from "./_bounds.ts";
import { spreadInput, windowOf } from "./_window.ts";
import { channelMap } from "./batch-normalization.ts";

/** Fewer additions a channel than this do not pay for its sums. */
const leastUses = 16;
/** What sums of 16 bits hold. */
const mostTerms = 32767;
/** Bytes of planes that a few outputs' pixels read at once and a first-level cache holds. */
const cacheBytes = 24 * 1024;
const lineBytes = 64;

/** Puts the steps of a layer of binary weights, of its product by a map, or of signs that it takes itself, or returns false. */
export function binaryForm(build: Build, node: ProgramNode): boolean {
  if (node.op === "Conv" || node.op === "Gemm") return addBinaryLayer(build, node);
  if (node.op === "Mul") return addMappedLayer(build, node);
  return node.op === "Sign" && takesSigns(build, build.onlyReader(node.outputs[0]!));
}

function addBinaryLayer(build: Build, node: ProgramNode): boolean {
  const content = binaryWeights(build, node);
  if (content === undefined) return false;
  if (node.op === "Gemm") addGemm(build, node, content);
  // A product by a map is computed at its Mul, when the map is there.
  else if (mapOf(build, node) === undefined) addConv(build, node, content);
  return true;
}

/** Whether `node` reads its input's signs itself, so that a Sign that it alone reads need not be computed. */
function takesSigns(build: Build, node: ProgramNode | undefined): boolean {
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

/** The map of scales (1, 1, y, x) by which a Mul, its only reader, multiplies a convolution of signs by signs. */
function mapOf(build: Build, conv: ProgramNode): { readonly map: number; readonly product: number } | undefined {
  const [value] = conv.outputs as [number];
  const reader = build.onlyReader(value);
  const map = reader?.inputs.find((input) => input !== value);
  if (reader?.op !== "Mul" || map === undefined || conv.inputs.length > 2 || signOf(build, conv) === undefined)
    return undefined;
  const [first, channels, ...pixels] = build.shape(map);
  const fits = first === 1 && channels === 1 && String(pixels) === String(build.shape(value).slice(2));
  return fits ? { map, product: reader.outputs[0]! } : undefined;
}

/** Puts the steps of a convolution whose product by a map `node` is, and says whether it is one. */
function addMappedLayer(build: Build, node: ProgramNode): boolean {
  const conv = node.inputs.map((input) => build.writer(input)).find((writer) => writer?.op === "Conv");
  const content = conv && binaryWeights(build, conv);
  if (content === undefined || mapOf(build, conv!) === undefined) return false;
  addConv(build, conv!, content);
  return true;
}

/** The Sign that writes a convolution's input, where the kernel can take it. */
function signOf(build: Build, conv: ProgramNode): ProgramNode | undefined {
  const sign = build.writer(conv.inputs[0]!);
  return sign?.op === "Sign" && takesSigns(build, conv) ? sign : undefined;
}

function addConv(build: Build, node: ProgramNode, content: SymbolContent): void {
  const [, weight, bias = -1] = node.inputs as [number, number, number?];
  const [outputs, channels, ...kernel] = build.shape(weight) as [number, number, ...number[]];
  const { signs, scales } = decode(content, outputs);
  const biases = bias < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(bias));
  const sign = signOf(build, node);
  const mapped = mapOf(build, node);
  const window = windowOf(build, node, kernel);
  const planes = layPlanes(window, Number.POSITIVE_INFINITY);
  const src = sign ? build.read(sign.inputs[0]!) : spreadInput(build, node, window, 0, planes).src;
  const mapBytes = sign ? 4 * window.h * window.w : planes.channelBytes;
  const scaled = mapped ? takeShifts(build, mapped.product, scales, biases) : node.outputs[0]!;
  const close = closing(build, scaled);
  const dst = build.write(close.output);
  const biasesAt = build.put(biases);
  const group = attribute(node, "group", 1);
  const own = outputs / group;
  const size = own * planes.oh * planes.ow * 4;
  const add = sign ? addXnor : addSums;
  for (let g = 0; g < group; g++)
    add(build, {
      ...planes,
      signs: signs.subarray((g * signs.length) / group),
      outputs: own,
      channels,
      scales: scales.subarray(g * own, (g + 1) * own),
      map: mapped ? build.read(mapped.map) : 0,
      biases: behind(biasesAt, 4 * g * own),
      window,
      src: behind(src, g * channels * mapBytes),
      dst: behind(dst, g * size),
      close: { ...close, residual: typeof close.residual === "number" ? 0 : behind(close.residual, g * size) },
    });
}

/** Takes an Add of a number a channel and a BatchNormalization behind `value` into scales and biases; gives what they write. */
function takeShifts(build: Build, value: number, scales: Float32Array, biases: Float32Array): number {
  const next = build.onlyReader(value);
  const other = next?.inputs.find((input) => input !== value) ?? -1;
  if (next?.op === "Add" && build.isConstant(other) && isChannelwise(build, other, value)) {
    const shifts = build.constant(other);
    for (let o = 0; o < biases.length; o++) biases[o]! += shifts[o]!;
  } else if (next?.op === "BatchNormalization" && next.inputs[0] === value) {
    const { slopes, shifts } = channelMap(build, next);
    for (let o = 0; o < biases.length; o++) {
      scales[o]! *= slopes[o]!;
      biases[o] = biases[o]! * slopes[o]! + shifts[o]!;
    }
  } else return value;
  build.fused.add(next);
  return takeShifts(build, build.output(next, build.shape(value)), scales, biases);
}

function isChannelwise(build: Build, constant: number, value: number): boolean {
  const [, channels, ...pixels] = build.shape(value);
  const shape = [channels, ...pixels.map(() => 1)];
  return [shape, [1, ...shape]].some((fit) => String(fit) === String(build.shape(constant)));
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
interface Layer extends Omit<Planes, "taps">, Signs {
  readonly scales: Float32Array;
  readonly map: Operand;
  readonly window: Window;
  readonly biases: Place;
  readonly src: Place;
  readonly dst: Place;
  readonly close: Closing;
}

/** Planes of `bytes` in 16s, some way apart where they would crowd the cache. */

const planeBytesOf = (bytes: number) => Math.ceil(bytes / 16) * 16 + (bytes % 256 === 0 ? lineBytes : 0);

/** A network's tables of `xnor-conv`. */
const tablesOf = new WeakMap<Build, Place>();

function addXnor(build: Build, layer: Layer): void {
  const { outputs, channels, channelBytes, oh, ow, rowBytes, window, spread, close } = layer;
  const planeBytes = planeBytesOf(channelBytes / 4);
  const inBytes = { ...layer, taps: Array.from(layer.taps, (tap) => tap / 4) };
  const { offsets, stream, roomBytes } = packXnor(inBytes, planeBytes);
  const passBytes = Math.ceil(channels / 4) * planeBytes;
  const [planes, passes] = [build.scratch(2 * passBytes), build.scratch(4)];
  const pixels = build.scratch(window.h * window.w);
  const [, , ...places] = spread ?? [0, 0, 0, 0, 0, 0, 1, 1];
  const image = [window.h, window.w, ...places] as const;
  build.call("signBits", layer.src, planes, passes, pixels, channels, planeBytes, ...image);
  const tables = tablesOf.get(build) ?? build.put(xnorTables());
  tablesOf.set(build, tables);
  const cols = rowBytes / 4;
  const terms = spread ? termsOf(window, channels, cols) : new Int16Array(ow).fill(channels);
  const signs = [planes, passes, passBytes, build.put(offsets), offsets.length, tables, build.put(stream)] as const;
  const numbers = [build.put(layer.scales), layer.map, layer.biases, close.residual, layer.dst] as const;
  const rest = [outputs, oh, ow, cols, build.scratch(roomBytes), close.lo, close.hi] as const;
  build.call("xnorConv", ...signs, build.put(terms), ...numbers, ...rest);
}

/** Some channels at a time, on top of those before, so that the planes of their sums stay in the cache. */
function addSums(build: Build, layer: Layer): void {
  const { outputs, channels, taps, channelBytes, oh, ow, rowBytes, src, dst, close } = layer;
  const planeBytes = planeBytesOf(channelBytes);
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
