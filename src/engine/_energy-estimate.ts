/**
 * The energy of one run of a graph from counted operations and bytes moved:
 *
 *     E = Σ_format macs · e_mac(format) + cached bytes · e_cache + DRAM bytes · e_dram        (constants: energy-constants)
 *
 * A node reads each of its inputs and writes each of its outputs once. Stored weights come from DRAM once a run, and so does the
 * first reading of what is fed; all else moves through the cache where the value fits, through DRAM where not. As in
 * onnxruntime, views and DequantizeLinear move nothing, and a node of one input that keeps the shape (an activation, a
 * normalization, QuantizeLinear) is done in the place of the node before it where nothing else reads what that one writes.
 * Limits: instructions, idle power and leakage are left out, and so is arithmetic that is no MAC; zeros are multiplied.
 */
import { analyzeCost } from "../analysis/index.ts";
import { consumers, feeds, type Graph, type Node, producers } from "../graph/graph.ts";
import { isStatic } from "../ops/fact.ts";
import { type Facts, inferFacts } from "../ops/infer.ts";
import { findOp } from "../ops/registry.ts";
import { type DType, elementBits, elementBytes } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { cacheBytes, type MacFormat, picojoulesPerByte, picojoulesPerMac } from "./energy-constants.ts";

/** What one run of a graph is counted to do, and the energy that goes with it. */
export interface EnergyEstimate {
  readonly macs: Readonly<Record<MacFormat, number>>;
  /** Bytes read and written through the cache. */
  readonly cacheBytes: number;
  /** Bytes read and written through DRAM. */
  readonly dramBytes: number;
  /** Of the whole run, all images of its batch. */
  readonly joules: number;
}

/**
 * Estimates the energy of one run of `graph`, which may be a training step, with `batch` in the place of a dynamic first
 * dimension; undefined where an operator or a shape is not known, so that not all could be counted.
 * @throws NetpareError naming the node where shapes do not fit.
 */
export function estimateEnergy(
  graph: Graph,
  { batch = 1 }: { readonly batch?: number } = {},
): EnergyEstimate | undefined {
  const cost = analyzeCost(graph, { batch });
  if (cost.unsupported.length > 0) return undefined;
  const facts = inferFacts(graph, { batch });
  const working = workingNodes(graph);
  const macs = countMacs(graph, working, facts);
  const moved = countBytes(graph, working, facts);
  const dramBytes = moved.dram + cost.weightBytes;
  const formats = Object.entries(picojoulesPerMac) as [MacFormat, number][];
  const arithmetic = formats.reduce((sum, [format, each]) => sum + macs[format] * each, 0);
  const movement = moved.cache * picojoulesPerByte.cache + dramBytes * picojoulesPerByte.dram;
  return { macs, cacheBytes: moved.cache, dramBytes, joules: (arithmetic + movement) * 1e-12 };
}

/** The nodes that depend on what is fed; all others are computed once, when the model is loaded. */
function workingNodes(graph: Graph): readonly Node[] {
  const varying = new Set(feeds(graph).map(({ name }) => name));
  return graph.nodes.filter((node) => {
    if (!node.inputs.some((input) => varying.has(input))) return false;
    for (const output of node.outputs) if (output !== "") varying.add(output);
    return true;
  });
}

function countMacs(graph: Graph, working: readonly Node[], facts: Facts): Record<MacFormat, number> {
  const writer = producers(graph);
  /** The dtype in which a value is multiplied: what is dequantized on the way is multiplied as integers. */
  const dtypeOf = (value: string): DType => {
    const node = writer.get(value);
    if (node !== undefined && (node.op === "DequantizeLinear" || isView(node))) return dtypeOf(node.inputs[0]!);
    return facts.get(value)?.dtype ?? "float32";
  };
  const macs = { float32: 0, float16: 0, int8: 0 };
  for (const node of working) {
    const op = findOp(node);
    if (op?.countsMacs !== true) continue;
    const fact = (name: string) => (name === "" ? undefined : facts.get(name));
    const outputs = node.outputs.map((name) => fact(name) ?? { dtype: "float32" as const, shape: undefined });
    const bits = Math.max(...node.inputs.slice(0, 2).map((input) => elementBits(dtypeOf(input))));
    const format = bits <= 8 ? "int8" : bits <= 16 ? "float16" : "float32";
    macs[format] += op.macs(node, node.inputs.map(fact), outputs);
  }
  return macs;
}

const views: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"]);
const isView = ({ op, domain }: Node) => domain === "" && views.has(op);

function countBytes(graph: Graph, working: readonly Node[], facts: Facts): { cache: number; dram: number } {
  const fed = new Set(feeds(graph).map(({ name }) => name));
  const streamed = streamedValues(graph, working, facts);
  const alias = new Map<string, string>();
  const varying = new Set(fed);
  const touched = new Set<string>();
  const moved = { cache: 0, dram: 0 };
  const move = (value: string) => {
    if (value === "" || streamed.has(value)) return;
    const fact = facts.get(value);
    const bytes = fact && isStatic(fact.shape) ? sizeOf(fact.shape) * elementBytes(fact.dtype) : 0;
    const first = fed.has(value) && !touched.has(value);
    touched.add(value);
    moved[first || bytes > cacheBytes ? "dram" : "cache"] += bytes;
  };
  for (const node of working) {
    for (const output of node.outputs) varying.add(output);
    if (isView(node) || node.op === "DequantizeLinear") {
      const source = node.inputs[0]!;
      alias.set(node.outputs[0]!, alias.get(source) ?? source);
      continue;
    }
    const read = node.inputs.filter((input) => varying.has(input)).map((input) => alias.get(input) ?? input);
    for (const value of new Set(read)) move(value);
    for (const output of node.outputs) move(output);
  }
  return moved;
}

/** Values that never reach memory, because the one node that reads them is done in the place of the one that writes them. */
function streamedValues(graph: Graph, working: readonly Node[], facts: Facts): ReadonlySet<string> {
  const writer = producers(graph);
  const readers = consumers(graph);
  const kept = new Set(graph.outputs.map(({ name }) => name));
  const varying = new Set(working.flatMap(({ outputs }) => outputs));
  const streamed = new Set<string>();
  for (const node of working) {
    const [x, ...others] = node.inputs;
    const before = writer.get(x!);
    if (before === undefined || !varying.has(x!) || others.some((input) => varying.has(input))) continue;
    if (moves(before) && moves(node) && !findOp(node)?.countsMacs && !kept.has(x!) && readers.get(x!)?.length === 1)
      if (sameShape(facts, x!, node.outputs[0]!)) streamed.add(x!);
  }
  return streamed;
}

const moves = (node: Node) => !isView(node) && node.op !== "DequantizeLinear";

const sameShape = (facts: Facts, a: string, b: string) =>
  facts.get(a)?.shape?.join() === facts.get(b)?.shape?.join() && facts.get(a)?.shape !== undefined;
