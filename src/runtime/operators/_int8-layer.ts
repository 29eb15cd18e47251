/**
 * Layers and sums between 8-bit numbers, on integers: `(DQ(x) * DQ(w) + DQ(b))`, Relu or Clip, QuantizeLinear become
 * `q = round(clamp((sum (x - zero_x) w + b) s_x s_w / s_y)) + zero_y`, b in steps of `s_x s_w`, as in onnxruntime's QLinearConv and Jacob et al.
 * 2018 (arXiv:1712.05877), but with a float multiplier. A layer that nothing quantizes writes floats. Depthwise layers sum integers up in
 * floats, which hold them exactly. Layers whose sums might not fit 32 bits are left to the kernels on floats.
 */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind, type Place } from "../build.ts";
import { layPlanes, tapOffsets } from "../kernels/pack.ts";
import { packPairs } from "../kernels/pack-integers.ts";
import { boundsOf } from "./_bounds.ts";
import { type Quantization, quantizationOf, scalesOf } from "./_quantization.ts";
import { windowOf } from "./_window.ts";

/** What the kernels of a layer take beside its geometry. */
interface Layer {
  readonly from: Quantization;
  /** (O, K) less their zeros. */
  readonly weights: Int16Array;
  /** (O), in steps of the sums. */
  readonly bias: Int32Array;
  /** From sums to steps of the output, (O). */
  readonly scales: Float32Array;
  readonly end: Ending;
}

/** What follows a layer or sum: bounds, and QuantizeLinear or none. */
interface Ending {
  readonly output: number;
  /** A step of the output; 1 where it is floats. */
  readonly scale: number;
  readonly zero: number;
  /** In steps of the output. */
  readonly lo: number;
  readonly hi: number;
  readonly floats: boolean;
  readonly nodes: readonly ProgramNode[];
}

/** Puts the steps of a layer or an Add on 8-bit numbers, or returns false and leaves all as it was. */
export function int8Form(build: Build, node: ProgramNode): boolean {
  return layerOps.has(node.op) ? addInt8Layer(build, node) : addInt8Sum(build, node);
}

const layerOps: ReadonlySet<string> = new Set(["Conv", "Gemm", "MatMul"]);

function addInt8Layer(build: Build, node: ProgramNode): boolean {
  const outputs = build.shape(node.outputs[0]!).at(node.op === "Conv" ? 1 : -1)!;
  const layer = layerOf(build, node, outputs);
  if (layer === undefined) return false;
  for (const fused of layer.end.nodes) build.fused.add(fused);
  if (node.op !== "Conv") addDense(build, outputs, layer);
  else if (isDepthwise(build, node)) addDepthwise(build, node, outputs, layer);
  else addConv(build, node, outputs, layer);
  return true;
}

/** An Add of 8-bit numbers of one shape whose sum is quantized. */
function addInt8Sum(build: Build, { op, inputs, outputs }: ProgramNode): boolean {
  const [a, b] = inputs.map((input) => quantizationOf(build, build.writer(input), "DequantizeLinear"));
  if (op !== "Add" || !a || !b || String(build.shape(a.value)) !== String(build.shape(b.value))) return false;
  const { output, scale, zero, lo, hi, floats, nodes } = endingOf(build, outputs[0]!);
  if (floats) return false;
  for (const fused of nodes) build.fused.add(fused);
  const places = [a, b].map(({ value }) => build.read(value)) as [Place, Place];
  const part = (q: Quantization) => [q.scale / scale, q.flip, q.unsignedZero] as const;
  build.call("addInt8", ...places, build.write(output), build.size(output), ...part(a), ...part(b), zero, lo, hi);
  return true;
}

function endingOf(build: Build, value: number): Ending {
  const nodes: ProgramNode[] = [];
  let output = value;
  const take = (node: ProgramNode) => {
    nodes.push(node);
    output = build.output(node, build.shape(output));
  };
  const next = build.onlyReader(output);
  const [least, most] = (next && boundsOf(build, next)) ?? [];
  if (least !== undefined) take(next!);
  const [from, to] = [least ?? Number.NEGATIVE_INFINITY, most ?? Number.POSITIVE_INFINITY];
  const quantize = build.onlyReader(output);
  const q = quantizationOf(build, quantize, "QuantizeLinear");
  if (q === undefined) return { output, scale: 1, zero: 0, lo: from, hi: to, floats: true, nodes };
  take(quantize!);
  const { scale, zero } = q;
  return {
    output,
    scale,
    zero,
    lo: Math.max(q.lo, from / scale),
    hi: Math.min(q.hi, to / scale),
    floats: false,
    nodes,
  };
}

function layerOf(build: Build, node: ProgramNode, outputs: number): Layer | undefined {
  const [x, w, b = -1] = node.inputs as [number, number, number?];
  const from = quantizationOf(build, build.writer(x), "DequantizeLinear");
  const plain = ["transA", "alpha", "beta"].every((name, i) => attribute(node, name, i && 1) === (i && 1));
  if (!from || !plain || (b >= 0 && (!build.isConstant(b) || ![1, outputs].includes(build.size(b))))) return;
  if (node.op !== "Conv" && build.shape(w).length !== 2) return;
  const rows = rowsOf(build, w, outputs, node.op === "Conv" || attribute(node, "transB", 0) === 1);
  if (!rows || (node.op !== "Conv" && rows.weights.some((value) => value !== (value << 24) >> 24))) return;
  const { weights, scales } = rows;
  const end = endingOf(build, node.outputs[0]!);
  const steps = Float32Array.from({ length: outputs }, (_, o) => from.scale * scales[o % scales.length]!);
  const biases = b < 0 ? [0] : build.constant(b);
  const bias = Array.from(steps, (step, o) => Math.round(biases[o % biases.length]! / step));
  const largest = bias.map((value, o) => Math.abs(value) + 255 * sumOf(weights, outputs, o, Math.abs));
  if (!largest.every((sum) => sum < 2 ** 31)) return;
  return { from, weights, bias: Int32Array.from(bias), scales: steps.map((step) => step / end.scale), end };
}

/** A dequantized matrix as rows (O, K) less their zeros; undefined where it is none, or its scales are not those of rows. */
function rowsOf(build: Build, value: number, outputs: number, isRows: boolean) {
  const node = build.writer(value);
  const from = node?.inputs[0] ?? -1;
  if (node?.op !== "DequantizeLinear" || !build.isConstant(from) || !build.isByte(from)) return;
  const found = scalesOf(build, node);
  if (!found) return;
  const { scales, zeros, axis } = found;
  if (scales.length > 1 && (axis !== (isRows ? 0 : 1) || scales.length !== outputs)) return;
  const values = build.constant(from);
  const count = values.length / outputs;
  const weights = new Int16Array(values.length);
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < count; k++)
      weights[o * count + k] = values[isRows ? o * count + k : k * outputs + o]! - zeros[o % zeros.length]!;
  return { weights, scales };
}

/** The sum of `of` each weight of row `o`. */
function sumOf(weights: Int16Array, outputs: number, o: number, of: (weight: number) => number): number {
  const count = weights.length / outputs;
  let sum = 0;
  for (let k = o * count; k < (o + 1) * count; k++) sum += of(weights[k]!);
  return sum;
}

function addConv(build: Build, node: ProgramNode, outputs: number, { from, weights, bias, scales, end }: Layer): void {
  const [, perGroup, ...kernel] = build.shape(node.inputs[1]!) as [number, number, ...number[]];
  const window = windowOf(build, node, kernel);
  const flat = [1, window.h * window.w, 0, 0, 1, window.h * window.w, 1, 1] as const;
  const { spread = flat, channelBytes, rowBytes, taps, oh, ow } = layPlanes(window);
  const group = attribute(node, "group", 1);
  const [own, pairs] = [outputs / group, Math.ceil(perGroup / 2)];
  const src = build.read(from.value);
  const planes = build.scratch(group * pairs * channelBytes);
  for (let g = 0; g < group; g++) {
    const image = behind(src, g * perGroup * window.h * window.w);
    const to = behind(planes, g * pairs * channelBytes);
    build.call("spreadInt8", image, to, perGroup, ...spread, from.flip, from.unsignedZero);
  }
  const dst = build.write(end.output);
  const room = build.scratch(64);
  const offsets = tapOffsets({ taps, channelBytes }, pairs);
  const [offsetsAt, biasAt, scalesAt] = [build.put(offsets), build.put(bias), build.put(scales)];
  for (let g = 0; g < group; g++) {
    const part = weights.subarray((g * weights.length) / group, ((g + 1) * weights.length) / group);
    build.call(
      "convInt8",
      behind(planes, g * pairs * channelBytes),
      offsetsAt,
      offsets.length,
      build.put(packPairs(part, own, perGroup, taps.length)),
      behind(biasAt, 4 * g * own),
      behind(scalesAt, 4 * g * own),
      behind(dst, g * own * oh * ow * build.elementBytes(end.output)),
      ...[own, oh, ow, rowBytes, end.lo, end.hi, end.zero, room, end.floats ? 1 : 0],
    );
  }
}

const isDepthwise = (build: Build, node: ProgramNode) =>
  attribute(node, "group", 1) > 1 && build.shape(node.inputs[1]!)[1] === 1;

function addDepthwise(build: Build, node: ProgramNode, outputs: number, layer: Layer): void {
  const { from, weights, bias, scales, end } = layer;
  const window = windowOf(build, node, build.shape(node.inputs[1]!).slice(2));
  const { spread, channelBytes, rowBytes, taps, oh, ow } = layPlanes(window);
  const channels = attribute(node, "group", 1);
  const src = build.read(from.value);
  const image = build.scratch(4 * build.size(from.value));
  build.call("dequantize", src, image, build.size(from.value), 1, from.flip, from.unsignedZero);
  const planes = spread ? build.scratch(channels * channelBytes) : image;
  if (spread) build.call("spread", image, planes, channels, ...spread, 0);
  const [map, open] = [outputs * oh * ow, [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const];
  const sums = build.scratch(4 * map);
  const constants = [build.put(Float32Array.from(weights)), build.put(Float32Array.from(bias))] as const;
  const sizes = [outputs, outputs / channels, channelBytes, oh, ow, rowBytes, ...open] as const;
  build.call("depthwise", planes, build.put(taps), taps.length, ...constants, 0, sums, ...sizes);
  const scaled = end.floats ? build.write(end.output) : sums;
  build.call("arithmetic", 2, sums, build.put(scales), scaled, outputs, oh * ow, 1, end.lo, end.hi);
  if (!end.floats) build.call("quantize", sums, build.write(end.output), map, 1, end.zero, end.lo, end.hi);
}

function addDense(build: Build, outputs: number, { from, weights, bias, scales, end }: Layer): void {
  const count = weights.length / outputs;
  const rows = build.size(from.value) / count;
  const src = build.read(from.value);
  // What the zero of x takes from each sum.
  const taken = bias.map((value, o) => value - from.unsignedZero * sumOf(weights, outputs, o, Number));
  const packed = build.put(Int8Array.from(packPairs(weights, outputs, count, 1)));
  const [biasAt, scalesAt] = [build.put(taken), build.put(scales)];
  const dst = build.write(end.output);
  const floats = end.floats ? dst : build.scratch(4 * rows * outputs);
  const open = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
  for (let row = 0; row < rows; row++) {
    const to = behind(floats, 4 * row * outputs);
    const bounds = end.floats ? [end.lo, end.hi] : open;
    const given = [behind(src, row * count), Math.ceil(count / 2), packed, biasAt, scalesAt, to] as const;
    build.call("gemmInt8", ...given, outputs, from.flip, ...bounds);
  }
  if (!end.floats) build.call("quantize", floats, dst, rows * outputs, 1, end.zero, end.lo, end.hi);
}
