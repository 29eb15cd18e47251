/**
 * The test of an operator, one line of a table a case. For each case it checks
 * 1. that the inferred types are those of what the reference computes;
 * 2. the reference against onnxruntime;
 * 3. the gradient graph, run in float64 by the reference, against central differences along a seeded random direction;
 * 4. the same gradient graph on onnxruntime in float32 against float64;
 * 5. the runtime against the reference, in plain and relaxed SIMD, on the first run and after 2,000 more.
 */
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { writePare } from "../../src/format/write.ts";
import type { Attributes } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { evaluateGraph, toFloat64 } from "../../src/ops/evaluate.ts";
import { findOp } from "../../src/ops/registry.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import type { KernelVariant } from "../../src/runtime/kernels/index.ts";
import { load } from "../../src/runtime/load.ts";
import { operators } from "../../src/runtime/operators/index.ts";
import { isFloat } from "../../src/tensor/dtype.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { castTensor, type Tensor, tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { variants } from "../runtime/kernels/bed.ts";

/** An input: a shape to be filled with random floats, a constant tensor, or undefined for an absent one. */
export type Input = readonly number[] | Tensor | undefined;

export interface OpCase {
  readonly op: string;
  /** What sets this case apart. */
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly attributes?: Attributes;
  /** Outputs the node has; 1 where left out. */
  readonly outputs?: number;
  /** The operator set, for operators that 17 lacks. */
  readonly opset?: number;
  /** Maps a standard normal to the domain where the operator is smooth: away from kinks, within its domain. */
  readonly draw?: (normal: number) => number;
  /** Whether gradients are checked; by default if the operator has one. */
  readonly gradient?: boolean;
  /** False where onnxruntime has no kernel for the case; the reason stands beside it. */
  readonly onnxruntime?: boolean;
  /** What netpare's runtime says where it refuses the case; false where floats cannot show it, the reason beside it. */
  readonly runtime?: RegExp | false;
}

/** Declares the tests of a table of cases. */
export function checkOps(title: string, cases: readonly OpCase[]): void {
  describe(title, () => {
    for (const given of cases) it(`${given.op}: ${given.name}`, () => checkOp(given));
  });
}

async function checkOp(given: OpCase): Promise<void> {
  const op = findOp({ op: given.op, domain: "" });
  if (op === undefined) throw new Error(`operator ${given.op} is not in the registry`);
  const { graph, feeds } = buildCase(given);
  const exact = evaluateGraph(toFloat64(graph), float64(feeds));
  const rounded = evaluateGraph(graph, feeds);
  for (const output of graph.outputs) {
    const real = rounded.get(output.name)!;
    expect({ dtype: real.dtype, shape: [...real.shape] }, `${given.op}: type of output`).toEqual({
      dtype: output.dtype,
      shape: [...(output.shape ?? [])],
    });
  }
  if (given.onnxruntime !== false) {
    const engine = await runOnnxruntime(graph, feeds);
    for (const { name, dtype } of graph.outputs)
      expectClose(
        `${given.op} ${name} on onnxruntime`,
        engine.get(name)!,
        isFloat(dtype) ? exact.get(name)! : rounded.get(name)!,
        op.tolerance,
      );
  }
  await checkRuntime(given, feeds, op.tolerance);
  const smooth = op.differentiable === true && graph.outputs.some(({ dtype }) => isFloat(dtype));
  if (given.gradient ?? (smooth && feeds.size > 0)) await checkGradient(given, graph, feeds, op.tolerance);
}

async function checkRuntime(given: OpCase, feeds: ReadonlyMap<string, Tensor>, tolerance: number) {
  // docs/runtime.md names the others.
  if (!operators.has(given.op) || given.runtime === false) return;
  const loading = async (form: CaseForm, variant: KernelVariant = "plain") =>
    load(writePare(buildCase(given, form).graph), { variant });
  if (given.runtime) return expect(loading({})).rejects.toThrow(given.runtime);
  const refusal = await loading({}).then(
    () => "",
    (error: Error) => error.message,
  );
  const constantWeights = asLayer.test(refusal);
  const form = constantWeights ? { constantWeights, dynamicBatch: true } : {};
  const { graph } = buildCase(given, form);
  const exact = evaluateGraph(toFloat64(buildCase(given, { constantWeights }).graph), float64(feeds));
  const numbers = Object.fromEntries(
    graph.inputs.map(({ name }) => [name, Float32Array.from(toNumbers(feeds.get(name)!))]),
  );
  for (const variant of variants) {
    const network = await loading(form, variant);
    for (const when of ["first", "after 2,000"]) {
      const outputs = network.run(numbers);
      for (const { name } of graph.outputs) {
        const expected = exact.get(name)!;
        const got = tensorOf("float32", expected.shape, outputs[name]!);
        const what = `${given.op} ${name} in the runtime, ${variant}, run: ${when}`;
        expectClose(what, got, expected, Math.max(tolerance, 1e-5));
      }
      if (when === "first") for (let i = 0; i < 2000; i++) network.run(numbers);
    }
  }
}

/** What the runtime says of an operator that it runs on images one by one, or by constants. */
const asLayer = /would have to be a constant|that are computed|of a fixed batch/;

interface CaseForm {
  /** Inputs but the first are constants. */
  readonly constantWeights?: boolean;
  readonly dynamicBatch?: boolean;
}

function buildCase(given: OpCase, form: CaseForm = {}): { graph: Graph; feeds: Map<string, Tensor> } {
  const random = createRandom(7);
  const draw = given.draw ?? ((v) => v);
  const g = new TypedBuilder("case");
  if (given.opset !== undefined) g.opsets.set("", given.opset);
  const feeds = new Map<string, Tensor>();
  const names = given.inputs.map((input, i) => {
    if (input === undefined) return "";
    if ("dtype" in input) return g.initializer(`c${i}`, input);
    const size = input.reduce((a, b) => a * b, 1);
    feeds.set(
      `x${i}`,
      tensorOf(
        "float32",
        input,
        Array.from({ length: size }, () => draw(random.normal())),
      ),
    );
    if (form.constantWeights && i > 0) return g.initializer(`x${i}`, feeds.get(`x${i}`)!);
    return g.input(`x${i}`, "float32", form.dynamicBatch && i === 0 ? ["N", ...input.slice(1)] : input);
  });
  for (const output of g.node(given.op, names, given.outputs ?? 1, given.attributes)) g.output(output);
  return { graph: g.build(), feeds };
}

async function checkGradient(given: OpCase, graph: Graph, feeds: ReadonlyMap<string, Tensor>, tolerance: number) {
  const random = createRandom(11);
  const g = new TypedBuilder(graph);
  g.outputs.length = 0;
  // loss = Σ weight · output with fixed random weights, so that each output element has its own cotangent.
  const terms = graph.outputs
    .filter((output) => isFloat(output.dtype))
    .map((output) => {
      const weights = tensorOf(
        output.dtype,
        g.shape(output.name),
        Array.from({ length: size(g.shape(output.name)) }, () => random.normal()),
      );
      const product = g.mul(output.name, g.initializer("weights", weights));
      return g.reduceSum(
        product,
        g.shape(output.name).map((_, axis) => axis),
        false,
      );
    });
  const loss = terms.reduce((a, b) => g.add(a, b));
  const wrt = [...feeds.keys()];
  const gradients = appendGradient(g, loss, wrt);
  g.output(loss);
  for (const name of new Set(gradients.values())) g.output(name);
  const trained = g.build();
  const wide = toFloat64(trained);
  const at = float64(feeds);
  const exact = evaluateGraph(wide, at);
  for (const name of wrt) {
    const x = at.get(name)!;
    const direction = Float64Array.from({ length: x.data.length }, () => random.normal());
    const step = 1e-5;
    const lossAt = (sign: number) => {
      const moved = toNumbers(x).map((v, i) => v + sign * step * direction[i]!);
      const values = evaluateGraph(wide, new Map([...at, [name, tensor("float64", x.shape, moved)]]), [loss]);
      return toNumbers(values.get(loss)!)[0]!;
    };
    // Fourth-order central difference.
    const numeric = (8 * (lossAt(1) - lossAt(-1)) - (lossAt(2) - lossAt(-2))) / (12 * step);
    const gradient = exact.get(gradients.get(name)!)!;
    expect([...gradient.shape], `${given.op}: shape of the gradient of ${name}`).toEqual([...x.shape]);
    const analytic = toNumbers(gradient).reduce((sum, v, i) => sum + v * direction[i]!, 0);
    const scale = Math.max(Math.abs(numeric), Math.abs(analytic), norm(toNumbers(gradient)) * 1e-2, 1e-6);
    const error = Math.abs(numeric - analytic) / scale;
    expect(error, `${given.op}: gradient of ${name}: analytic ${analytic}, numeric ${numeric}`).toBeLessThanOrEqual(
      1e-6,
    );
  }
  if (given.onnxruntime === false) return;
  const engine = await runOnnxruntime(trained, feeds);
  for (const [name, gradient] of gradients)
    expectClose(
      `${given.op}: gradient of ${name} on onnxruntime`,
      engine.get(gradient)!,
      exact.get(gradient)!,
      10 * tolerance,
    );
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
const float64 = (feeds: ReadonlyMap<string, Tensor>) =>
  new Map([...feeds].map(([name, t]) => [name, isFloat(t.dtype) ? castTensor(t, "float64") : t] as const));

/** Runs a graph on onnxruntime with all optimizations. */
export async function runOnnxruntime(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const session = await InferenceSession.create(encodeModel(graph), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const inputs = Object.fromEntries(
    [...feeds].map(([name, t]) => [name, new OrtTensor(t.dtype as "float32", t.data as Float32Array, t.shape)]),
  );
  const outputs = await session.run(inputs);
  const result = new Map(
    Object.entries(outputs).map(([name, t]) => [name, { dtype: t.type, shape: t.dims, data: t.data } as Tensor]),
  );
  await session.release();
  return result;
}

/** Fails with the largest error, its index, and both values where `got` strays from `expected`. */
export function expectClose(what: string, got: Tensor, expected: Tensor, tolerance: number): void {
  expect([...got.shape], `${what}: shape`).toEqual([...expected.shape]);
  const a = toNumbers(got);
  const b = toNumbers(expected);
  const scale = Math.max(
    b.reduce((max, v) => (Number.isFinite(v) ? Math.max(max, Math.abs(v)) : max), 0),
    1e-3,
  );
  let worst = -1;
  let worstError = 0;
  a.forEach((v, i) => {
    const error = Object.is(v, b[i]) || v === b[i] ? 0 : Math.abs(v - b[i]!) / scale;
    if (!(error <= worstError)) {
      worstError = error;
      worst = i;
    }
  });
  if (!(worstError <= tolerance))
    expect.fail(
      `${what}: largest error ${worstError} at ${worst}: expected ${b[worst]}, got ${a[worst]}, tolerance ${tolerance}`,
    );
}
