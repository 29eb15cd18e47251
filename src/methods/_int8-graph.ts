/**
 * Writes the planned graph in QDQ form (QuantizeLinear, DequantizeLinear around plain operators), which onnxruntime fuses into
 * integer kernels: QLinearConv, QLinearAdd, QGemm, QLinearGlobalAveragePool and their kin.
 *
 * Weights are int8, symmetric, a scale a channel: `W_o ≈ s_o·q`, `s_o = max|W_o| / 127`; activations uint8 with a zero point
 * (U8S8 is the kernels' fast path); biases int32 in steps of `s_x·s_o`.
 */
import { int } from "../graph/attributes.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { createNames } from "../graph/names.ts";
import { removeDead, sortNodes } from "../graph/order.ts";
import { verifyGraph } from "../graph/verify.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import type { Layer } from "./_int8-layer.ts";
import type { Plan, Step } from "./_int8-plan.ts";
import type { Scale } from "./_int8-ranges.ts";

export interface Int8Options {
  /** Scale of each value, by the plan's representative. */
  readonly scales: ReadonlyMap<string, Scale>;
  /** What to add to the biases of layers, in the unit of their outputs. */
  readonly corrections?: ReadonlyMap<Node, Float64Array>;
  /** Largest magnitude of a quantized weight: 127, or 63 for processors whose 8-bit products saturate. */
  readonly weightLevels: number;
}

/** A weight in 8 bits: `W ≈ values · scales` along `axis`. */
export interface Int8Weight {
  readonly values: Tensor<"int8">;
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * Rounds a weight to int8 with a scale per output channel; `floor(o)` bounds the scale from below.
 */
export function quantizeWeight(
  { weight, axis }: Pick<Layer, "weight" | "axis">,
  levels: number,
  floor: (channel: number) => number = () => 0,
): Int8Weight {
  const values = toNumbers(weight);
  const channels = weight.shape[axis]!;
  const inner = sizeOf(weight.shape.slice(axis + 1));
  const channelOf = (i: number) => Math.floor(i / inner) % channels;
  const largest = new Float64Array(channels);
  values.forEach((v, i) => {
    const c = channelOf(i);
    largest[c] = Math.max(largest[c]!, Math.abs(v));
  });
  const scales = Float32Array.from(largest, (max, c) => Math.max(max / levels, floor(c)) || 1);
  const rounded = Int8Array.from(values, (v, i) =>
    Math.min(levels, Math.max(-levels, Math.round(v / scales[channelOf(i)]!))),
  );
  return { values: tensor("int8", weight.shape, rounded), scales };
}

/** The weight and bias of a layer in the steps of its input `x`. */
export function quantizeLayer(layer: Layer, x: Scale, levels: number, correction?: Float64Array) {
  const bias =
    layer.bias || correction
      ? Float64Array.from({ length: layer.weight.shape[layer.axis]! }, (_, o) => {
          const own = layer.bias ? Number(layer.bias.data[o]) : 0;
          return own + (correction?.[o] ?? 0);
        })
      : undefined;
  // The floor lets a bias, counted in steps of the scale, fit 32 bits.
  const weight = quantizeWeight(layer, levels, (o) => Math.abs(bias?.[o] ?? 0) / (x.scale * 2 ** 30));
  const biasScales = weight.scales.map((s) => s * x.scale);
  return {
    weight,
    bias: bias && {
      values: tensorOf(
        "int32",
        [bias.length],
        bias.map((b, o) => Math.round(b / biasScales[o]!)),
      ),
      scales: biasScales,
    },
  };
}

/** The graph in QDQ form. */
export function writeInt8(graph: Graph, plan: Plan, options: Int8Options): Graph {
  const writer = new Int8Writer(graph, plan, options);
  for (const node of graph.nodes) writer.write(node);
  return verifyGraph(
    removeDead({
      ...graph,
      // Constants that are declared as inputs too would stay in the file.
      inputs: graph.inputs.filter(({ name }) => !graph.initializers.has(name)),
      nodes: sortNodes(writer.nodes),
      initializers: new Map([...graph.initializers, ...writer.initializers]),
    }),
  );
}

/** Layers to which onnxruntime would give 8-bit weights of its own making between a DequantizeLinear and a QuantizeLinear. */
const weighted = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

class Int8Writer {
  readonly nodes: Node[] = [];
  readonly initializers = new Map<string, Tensor>();
  private readonly graph: Graph;
  private readonly plan: Plan;
  private readonly options: Int8Options;
  private readonly names;
  /** The 8-bit value that holds each quantized value. */
  private readonly quantized = new Map<string, string>();
  /** The DequantizeLinear output that integer nodes read for a value. */
  private readonly dequantized = new Map<string, string>();
  private readonly scaleNames = new Map<string, readonly [string, string]>();
  private readonly shared = new Map<string, string>();
  private readonly shields = new Map<string, string>();

  constructor(graph: Graph, plan: Plan, options: Int8Options) {
    this.graph = graph;
    this.plan = plan;
    this.options = options;
    this.names = createNames(graph);
  }

  write(node: Node): void {
    const step = this.plan.steps.get(node)!;
    switch (step.kind) {
      case "absorbed":
        return;
      case "float":
        this.nodes.push(weighted.has(node.op) ? { ...node, inputs: this.shielded(node.inputs) } : node);
        return;
      case "carried":
        this.writeCarried(node);
        return;
      case "rescaled": {
        const inputs = node.inputs.map((name) => this.readInteger(name));
        this.writeQuantized({ ...node, inputs }, step.writes);
        return;
      }
      case "layer":
        this.writeLayer(step);
        return;
    }
  }

  /** The inputs of a layer that stays in float, its data behind a Clip without bounds where they come from 8 bits. */
  private shielded([x, ...rest]: readonly string[]): string[] {
    if (x === undefined || this.dequantized.get(x) !== x) return [x ?? "", ...rest];
    const shield = this.shields.get(x) ?? this.names.fresh(`${x}:c`);
    if (!this.shields.has(x)) this.append("Clip", [x], shield);
    this.shields.set(x, shield);
    return [shield, ...rest];
  }

  private writeLayer({ layer, writes }: Extract<Step, { kind: "layer" }>): void {
    const { node, weightName, biasName } = layer;
    const x = this.scale(node.inputs[0]!);
    const { weight, bias } = quantizeLayer(layer, x, this.options.weightLevels, this.options.corrections?.get(node));
    const inputs = [
      this.readInteger(node.inputs[0]!),
      this.constant(weightName, weight.values, weight.scales, layer.axis),
    ];
    if (bias) inputs.push(this.constant(biasName || `${weightName}:b`, bias.values, bias.scales, 0));
    const written = { ...node, op: layer.op, attributes: layer.attributes, inputs };
    if (writes === undefined) this.nodes.push(written);
    else this.writeQuantized({ ...written, outputs: [node.outputs[0]!] }, writes);
  }

  /** Puts the node, the QuantizeLinear behind it and the DequantizeLinear that gives `value` back. */
  private writeQuantized(node: Node, value: string): void {
    const raw = this.names.fresh(`${value}:f`);
    this.nodes.push({ ...node, outputs: [raw] });
    this.quantize(raw, value);
    this.dequantize(value, value);
  }

  private writeCarried(node: Node): void {
    const [, zero] = this.scaleConstants(node.inputs[0]!);
    const data = node.op === "Concat" ? node.inputs.length : 1;
    const reads = node.inputs.slice(0, data).map((name) => this.quantized.get(name)!);
    const outputs = node.outputs.map((name) => (name === "" ? "" : this.names.fresh(`${name}:q`)));
    node.outputs.forEach((name, i) => {
      if (name !== "") this.quantized.set(name, outputs[i]!);
    });
    const { zeroPoint } = this.scale(node.inputs[0]!);
    // At zero point 0 the 8-bit value already ends where Relu does.
    if (node.op === "Relu" && zeroPoint === 0)
      this.nodes.push({ ...node, op: "Identity", inputs: reads, outputs, attributes: {} });
    else if (node.op === "Relu")
      this.nodes.push({ ...node, op: "Clip", inputs: [...reads, zero], outputs, attributes: {} });
    else this.nodes.push({ ...node, inputs: [...reads, ...this.sideInputs(node, data)], outputs });
    for (const name of node.outputs) if (name !== "") this.dequantize(name, name);
  }

  /** The inputs of a carried node that are not data; constants among them in 8 bits where they are values. */
  private sideInputs(node: Node, from: number): string[] {
    return node.inputs.slice(from).map((name, i) => {
      const isValue = node.op === "Clip" || (node.op === "Pad" && i === 1);
      if (!isValue || name === "") return name;
      return this.level(toNumbers(this.graph.initializers.get(name)!)[0]!, this.scale(node.inputs[0]!));
    });
  }

  /** The 8-bit level nearest to a number, as a shared scalar. */
  private level(x: number, { scale, zeroPoint }: Scale): string {
    return this.byte(Math.min(255, Math.max(0, Math.round(x / scale) + zeroPoint)));
  }

  private byte(value: number): string {
    return this.share(`u${value}`, () => tensorOf("uint8", [], [value]));
  }

  private share(key: string, make: () => Tensor): string {
    const held = this.shared.get(key);
    if (held !== undefined) return held;
    const name = this.names.fresh(key);
    this.initializers.set(name, make());
    this.shared.set(key, name);
    return name;
  }

  private scale(value: string): Scale {
    const scale = this.options.scales.get(this.plan.representative(value));
    if (scale === undefined) throw new Error(`internal: '${value}' has no scale`);
    return scale;
  }

  private scaleConstants(value: string): readonly [string, string] {
    const key = this.plan.representative(value);
    const held = this.scaleNames.get(key);
    if (held) return held;
    const { scale, zeroPoint } = this.scale(value);
    const made = [this.share(`s${scale}`, () => tensorOf("float32", [], [scale])), this.byte(zeroPoint)] as const;
    this.scaleNames.set(key, made);
    return made;
  }

  /** What an integer node reads for `value`; quantizes it first where it is a float. */
  private readInteger(value: string): string {
    if (!this.quantized.has(value)) this.quantize(value, value);
    return this.dequantized.get(value) ?? this.dequantize(value, this.names.fresh(`${value}:d`));
  }

  private quantize(from: string, value: string): void {
    const output = this.names.fresh(`${value}:q`);
    this.quantized.set(value, output);
    this.append("QuantizeLinear", [from, ...this.scaleConstants(value)], output);
  }

  private dequantize(value: string, output: string): string {
    this.dequantized.set(value, output);
    this.append("DequantizeLinear", [this.quantized.get(value)!, ...this.scaleConstants(value)], output);
    return output;
  }

  private constant(name: string, values: Tensor, scales: Float32Array<ArrayBuffer>, axis: number): string {
    const held = this.names.fresh(`${name}:q`);
    const output = this.names.fresh(`${name}:d`);
    this.initializers.set(held, values);
    const scaleName = this.names.fresh(`${name}:s`);
    this.initializers.set(scaleName, tensor("float32", [scales.length], scales));
    const zero = this.share(`z${values.dtype}${scales.length}`, () => tensor(values.dtype, [scales.length]));
    this.append("DequantizeLinear", [held, scaleName, zero], output, { axis: int(axis) });
    return output;
  }

  private append(op: string, inputs: readonly string[], output: string, attributes: Node["attributes"] = {}): void {
    this.nodes.push({ name: this.names.freshNode(output), op, domain: "", inputs, outputs: [output], attributes });
  }
}
