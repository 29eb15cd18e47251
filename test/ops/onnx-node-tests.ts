/**
 * Runs ONNX's own operator tests: each is a folder with a model of one operator (or a few) and the values it must give.
 * Inference must tell the type of every output, the reference its values within the tolerances of ONNX's own runner
 * (relative 1e-3, absolute 1e-7). Inputs that parametrize an operator (shapes, axes, pads, scales) are read as constants.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Graph } from "../../src/graph/graph.ts";
import { readModel, readTensorFile } from "../../src/onnx/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { inferFacts } from "../../src/ops/infer.ts";
import { findOp, operators } from "../../src/ops/registry.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

/** What came of a test. */
export interface NodeTestResult {
  readonly name: string;
  readonly status: "passed" | "not supported" | "failed";
  /** Why, where it did not pass. */
  readonly reason?: string;
  /** The operators of the test's model. */
  readonly operators: readonly string[];
}

/** The folder of the tests, undefined where the data are not at hand. */
export function nodeTestsFolder(): string | undefined {
  const data = process.env.NETPARE_DATA;
  const folder = data === undefined ? undefined : join(data, "onnx-tests", "node");
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}

/** Runs every test of a folder. */
export async function runNodeTests(folder: string): Promise<NodeTestResult[]> {
  const results: NodeTestResult[] = [];
  for (const name of readdirSync(folder).sort()) results.push(await runNodeTest(folder, name));
  return results;
}

/** Runs the test `name` of a folder. */
export async function runNodeTest(folder: string, name: string): Promise<NodeTestResult> {
  let used: readonly string[] = [];
  try {
    const knownOperators = new Set(operators.filter(({ domain }) => domain === "").map(({ op }) => op));
    const model = await readModel(join(folder, name, "model.onnx"), { knownOperators });
    used = [...new Set(model.nodes.map(({ op }) => op))].sort();
    const unknown = [...new Set(model.nodes.filter((node) => !findOp(node)).map(({ op }) => op))].sort();
    if (unknown.length > 0)
      return { name, status: "not supported", reason: `unknown operator ${unknown.join(", ")}`, operators: used };
    for (const set of readdirSync(join(folder, name)).filter((entry) => entry.startsWith("test_data_set")))
      await checkDataSet(model, join(folder, name, set));
    return { name, status: "passed", operators: used };
  } catch (error) {
    const supported = !(error instanceof NetpareError && error.code === "unsupported");
    const reason = (error as Error).message.replace(/^.*?\.(onnx|pb): /, "");
    return { name, status: supported ? "failed" : "not supported", reason, operators: used };
  }
}

async function readTensors(folder: string, kind: string): Promise<Tensor[]> {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${kind}_`));
  const tensors: Tensor[] = [];
  for (let i = 0; i < files.length; i++) tensors.push((await readTensorFile(join(folder, `${kind}_${i}.pb`))).tensor);
  return tensors;
}

async function checkDataSet(model: Graph, folder: string): Promise<void> {
  const inputs = await readTensors(folder, "input");
  const outputs = await readTensors(folder, "output");
  const feeds = new Map(model.inputs.map(({ name }, i) => [name, inputs[i]!] as const));
  const facts = inferFacts(withConstants(model, feeds));
  const computed = evaluateGraph(model, feeds);
  model.outputs.forEach(({ name }, i) => {
    const expected = outputs[i]!;
    const fact = facts.get(name);
    const type = `${expected.dtype} [${expected.shape}]`;
    const inferred = `${fact?.dtype} [${fact?.shape}]`;
    if (inferred !== type) throw new Error(`${name} is inferred as ${inferred} and is ${type}`);
    compare(name, computed.get(name)!, expected);
  });
}

/** The model with its parameters as constants, the only form in which real networks have them. */
function withConstants(model: Graph, feeds: ReadonlyMap<string, Tensor>): Graph {
  const data = new Set(model.nodes.map((node) => node.inputs[0]));
  const isParameter = (name: string, { dtype, shape }: Tensor) =>
    shape.length <= 1 && (dtype === "int64" || !data.has(name));
  const parameters = new Map([...feeds].filter(([name, value]) => isParameter(name, value)));
  return {
    ...model,
    inputs: model.inputs.filter(({ name }) => !parameters.has(name)),
    initializers: new Map([...model.initializers, ...parameters]),
  };
}

function compare(name: string, got: Tensor, expected: Tensor): void {
  const types = [got, expected].map(({ dtype, shape }) => `${dtype} [${shape}]`);
  if (types[0] !== types[1]) throw new Error(`${name} is computed as ${types[0]} and is ${types[1]}`);
  const want = toNumbers(expected);
  const bad = toNumbers(got).findIndex(
    (v, i) => !Object.is(v, want[i]) && v !== want[i] && !(Math.abs(v - want[i]!) <= 1e-7 + 1e-3 * Math.abs(want[i]!)),
  );
  if (bad >= 0) throw new Error(`${name} at ${bad}: expected ${want[bad]}, got ${toNumbers(got)[bad]}`);
}
