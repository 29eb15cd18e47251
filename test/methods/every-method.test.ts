/** What every method owes on every fixture network. */
import { describe, expect, it } from "vitest";
import { analyzeCost } from "../../src/analysis/index.ts";
import { openSession } from "../../src/engine/session.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { verifyGraph } from "../../src/graph/verify.ts";
import { findMethod, methods } from "../../src/methods/index.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { findParameters } from "../../src/ops/parameters.ts";
import { expectClose } from "../ops/check-op.ts";
import { fixtureBatch, fixtureContext, fixtures } from "./fixtures.ts";

interface Case {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Settings that change nothing. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Whether a second application leaves the result as it is. */
  readonly stable: boolean;
  /** Networks on which there is nothing to do. */
  readonly idle?: readonly string[];
  /** Largest error of onnxruntime against the reference, relative to the largest output. */
  readonly tolerance: number;
}

const cases: readonly Case[] = [
  {
    method: "binarize-weights",
    params: {},
    identity: { keep: [".*"] },
    stable: true,
    tolerance: 1e-5,
  },
  {
    method: "binarize-weights",
    params: { activations: true, ends: true },
    identity: { activations: true, keep: [".*"] },
    stable: true,
    tolerance: 1e-5,
  },
  { method: "cluster-weights", params: { bits: 3 }, identity: { keep: [".*"] }, stable: true, tolerance: 1e-5 },
  {
    method: "cluster-weights",
    params: { meanBits: 2.5 },
    identity: { meanBits: 2.5, keep: [".*"] },
    stable: true,
    tolerance: 1e-5,
  },
  { method: "distill", params: { teacher: "-" }, identity: { teacher: "-", alpha: 0 }, stable: true, tolerance: 1e-5 },
  { method: "hash-weights", params: {}, identity: { compression: 1 }, stable: true, tolerance: 1e-5 },
  {
    method: "hash-weights",
    params: { compression: 0.3, frequency: true, start: "mean" },
    identity: { keep: [".*"] },
    stable: true,
    tolerance: 1e-5,
  },
  { method: "prune-channels", params: { macs: 0.6 }, identity: { macs: 1 }, stable: false, tolerance: 1e-5 },
  {
    method: "prune-channels",
    params: { ratio: 0.3, importance: "taylor", scope: "uniform" },
    identity: { ratio: 0 },
    stable: false,
    tolerance: 1e-5,
  },
  {
    method: "prune-blocks",
    params: { blocks: 1 },
    identity: { blocks: 0 },
    stable: false,
    idle: ["shortcut", "fire", "depthwise", "dense"],
    tolerance: 1e-5,
  },
  { method: "prune-magnitude", params: { sparsity: 0.7 }, identity: { density: 1 }, stable: true, tolerance: 1e-5 },
  {
    method: "prune-magnitude",
    params: { density: 0.2, scope: "layer" },
    identity: { sparsity: 0 },
    stable: true,
    tolerance: 1e-5,
  },
  {
    method: "prune-magnitude",
    params: { sparsity: 0.6, regrowth: true, scope: "sensitivity", samples: 8 },
    identity: { sparsity: 0, regrowth: true },
    stable: true,
    tolerance: 1e-5,
  },
  { method: "penalize-entropy", params: {}, identity: { keep: [".*"] }, stable: false, tolerance: 1e-5 },
  // Integer kernels round what lies between two levels either way: a level of 255 at the end.
  { method: "quantize-int8", params: {}, identity: { keepFloat: [".*"] }, stable: true, tolerance: 0.02 },
];

async function apply(name: string, given: Readonly<Record<string, unknown>>, graph: Graph) {
  const method = findMethod(name);
  const context = fixtureContext();
  const models = new Map([["teacher", graph]]);
  return method.apply(graph, method.params.parse(given), { ...context, models });
}

/** Trained numbers in the file, counted without `analyzeCost`. */
function storedParameters(bytes: Uint8Array): number {
  const graph = decodeModel(bytes);
  return [...findParameters(graph).keys()].reduce((sum, name) => sum + graph.initializers.get(name)!.data.length, 0);
}

it("has a case for every method", () => {
  expect([...new Set(cases.map((given) => given.method))].toSorted()).toEqual(
    methods.map((method) => method.name).toSorted(),
  );
});

for (const { method, params, identity, stable, idle = [], tolerance } of cases)
  describe(`${method} ${JSON.stringify(params)}`, () => {
    for (const [name, build] of Object.entries(fixtures).filter(([name]) => !idle.includes(name))) {
      it(`${name}: verifies, loads and agrees with the reference`, async () => {
        const { graph } = await apply(method, params, build());
        verifyGraph(graph);
        const bytes = encodeModel(graph);
        const feeds = new Map([[graph.inputs[0]!.name, fixtureBatch()]]);
        const session = await openSession(bytes);
        const output = graph.outputs[0]!.name;
        const got = (await session.run(feeds)).get(output)!;
        await session.release();
        expectClose(`${method} on ${name}`, got, evaluateGraph(decodeModel(bytes), feeds).get(output)!, tolerance);
        expect(analyzeCost(graph).parameters, "predicted parameters").toBe(storedParameters(bytes));
        expect(analyzeCost(graph).unsupported).toEqual([]);
      });

      it(`${name}: changes nothing at ${JSON.stringify(identity)}`, async () => {
        const graph = build();
        const application = await apply(method, identity, graph);
        expect(application.graph).toBe(graph);
      });

      it(`${name}: gives the same bytes again${stable ? ", applied once or twice" : ""}`, async () => {
        const once = await apply(method, params, build());
        const again = await apply(method, params, build());
        expect(Buffer.compare(encodeModel(once.graph), encodeModel(again.graph))).toBe(0);
        if (stable) expect((await apply(method, params, once.graph)).graph).toBe(once.graph);
      });
    }
  });
