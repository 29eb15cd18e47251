/** How pruning proceeds in rounds, what layers are found to bear, and weights that come back. */
import { describe, expect, it } from "vitest";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod, type MethodContext, type Samples } from "../../src/methods/index.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { shippingPasses, simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { Net } from "../analysis/nets.ts";
import { fixtureContext, fixtures } from "./fixtures.ts";

const method = findMethod("prune-magnitude");
const prune = (
  graph: Graph,
  given: Readonly<Record<string, unknown>>,
  context: Partial<MethodContext> & { samples?: Samples } = {},
) => method.apply(graph, method.params.parse(given), { ...fixtureContext(), ...context });

/** The layers' weights as they are shipped. */
function shipped(graph: Graph): Float64Array[] {
  const plain = simplify(graph, shippingPasses).graph;
  const layers = plain.nodes.filter(({ op }) => op === "Conv" || op === "Gemm");
  return layers.map(({ inputs }) => toNumbers(plain.initializers.get(inputs[1]!)!));
}
const zeros = (values: Float64Array) => values.reduce((sum, value) => sum + (value === 0 ? 1 : 0), 0);
function sparsity(graph: Graph): number {
  const all = shipped(graph);
  return all.reduce((sum, w) => sum + zeros(w), 0) / all.reduce((sum, w) => sum + w.length, 0);
}

/** A dense layer of the given weights `(K)`. */
function layer(...weights: number[]): Graph {
  const net = new Net(["N", weights.length]);
  const w = net.g.initializer("w", tensorOf("float32", [weights.length, 1], weights));
  return net.done(net.g.op("Gemm", ["x", w], {}, { name: "layer" }));
}

describe("a schedule", () => {
  const thousand = () => layer(...Array.from({ length: 1000 }, (_, i) => (i + 1) * (i % 2 ? 1 : -1)));
  const rounds = async (given: Readonly<Record<string, unknown>>, graph = thousand()) => {
    const seen: { what: string; share: number | undefined; sparsity: number }[] = [];
    const fineTune = async (round: Graph, what: string, share?: number) => {
      seen.push({ what, share, sparsity: sparsity(round) });
      return round;
    };
    const result = await prune(graph, given, { fineTune });
    return { seen, last: sparsity(result.graph), changes: result.changes };
  };

  it("of equal shares of what is left", async () => {
    const { seen, last } = await rounds({ density: 0.1, sparsitySchedule: "iterative", rounds: 4 });
    expect(seen.map(({ sparsity }) => sparsity)).toEqual(
      [1, 2, 3].map((k) => Math.round(1000 - 1000 * 0.1 ** (k / 4)) / 1000),
    );
    expect(seen.map(({ what }) => what)).toEqual(["round 1 of 4", "round 2 of 4", "round 3 of 4"]);
    expect(seen.map(({ share }) => share)).toEqual([0.25, 0.25, 0.25]);
    expect(last).toBe(0.9);
  });

  it("that is a cubic", async () => {
    const { seen, last, changes } = await rounds({ sparsity: 0.8, sparsitySchedule: "gradual", rounds: 4 });
    expect(seen.map(({ sparsity }) => sparsity)).toEqual([0.463, 0.7, 0.788]);
    expect(last).toBe(0.8);
    expect(changes).toEqual(["layer: 1000 weights to 200"]);
  });

  it("starts from the zeros that are there", async () => {
    const half = (await prune(thousand(), { sparsity: 0.5 })).graph;
    const { seen } = await rounds({ sparsity: 0.9, sparsitySchedule: "gradual", rounds: 2 }, half);
    expect(seen.map(({ sparsity }) => sparsity)).toEqual([0.85]);
    const done = await rounds({ sparsity: 0.5, sparsitySchedule: "iterative" }, half);
    expect(done.seen).toEqual([]);
  });

  it.each([
    ["iterative", 4],
    ["gradual", 9],
  ])("%s has its own number of rounds", async (sparsitySchedule, between) => {
    expect((await rounds({ sparsity: 0.5, sparsitySchedule })).seen).toHaveLength(between);
  });

  it("wants training, and one-shot one round", async () => {
    const wanted = { code: "bad-option", message: expect.stringContaining("give --data and --epochs") };
    for (const sparsitySchedule of ["iterative", "gradual"])
      await expect(prune(thousand(), { sparsity: 0.5, sparsitySchedule })).rejects.toMatchObject(wanted);
    await expect(prune(thousand(), { sparsity: 0.5, rounds: 2 })).rejects.toThrow("one-shot has one round");
  });
});

describe("scope sensitivity", () => {
  it("takes from layers that bear it, as much as is wanted in all", async () => {
    const graph = fixtures.residual!();
    // The images' answers hang on `inner` alone: accuracy falls with its weights.
    const inner = toNumbers(graph.initializers.get("inner.w")!);
    const samples: Samples = {
      ...fixtureContext().samples!,
      accuracy: async (candidate) => 1 - zeros(toNumbers(candidate.initializers.get("inner.w")!)) / inner.length,
    };
    const { graph: pruned } = await prune(graph, { sparsity: 0.5, scope: "sensitivity" }, { samples });
    expect(sparsity(pruned)).toBeCloseTo(0.5, 3);
    const [stem, kept, outer] = shipped(pruned).map((w) => zeros(w) / w.length);
    for (const share of [stem!, outer!]) expect(share).toBeGreaterThan(0.6);
    expect(kept).toBe(0);
    const again = await prune(pruned, { sparsity: 0.5, scope: "sensitivity" }, { samples });
    expect(again.graph).toBe(pruned);
  });

  it("leaves no layer empty", async () => {
    const { graph } = await prune(fixtures.depthwise!(), { sparsity: 0.95, scope: "sensitivity", samples: 16 });
    expect(sparsity(graph)).toBeCloseTo(0.95, 2);
    for (const values of shipped(graph)) expect(zeros(values)).toBeLessThan(values.length);
  });

  it("wants images", async () => {
    const params = method.params.parse({ sparsity: 0.5, scope: "sensitivity" });
    expect(method.requires(params)).toEqual(["data"]);
    const context = { ...fixtureContext(), samples: undefined };
    await expect(method.apply(fixtures.residual!(), params, context)).rejects.toMatchObject({ code: "bad-option" });
  });
});

describe("regrowth", () => {
  const threshold = (graph: Graph) => toNumbers(graph.initializers.get("w/threshold")!)[0];

  it("keeps the values that count as zero, and settles into zeros", async () => {
    const { graph, changes } = await prune(layer(3, -1, 0.5, 1, -2, 4), { sparsity: 0.5, regrowth: true });
    expect([...toNumbers(graph.initializers.get("w")!)]).toEqual([3, -1, 0.5, 1, -2, 4]);
    expect(threshold(graph)).toBe(1);
    expect(changes).toEqual(["layer: 6 weights to 3"]);
    const [values] = shipped(graph);
    expect([...values!]).toEqual([3, 0, 0, 0, -2, 4]);
    expect(values!.some((value) => Object.is(value, -0))).toBe(false);
  });

  it("moves the threshold in rounds and applied again, and ends where it is left out", async () => {
    const once = (await prune(layer(3, -1, 0.5, 1, -2, 4), { sparsity: 0.3, regrowth: true })).graph;
    const again = (await prune(decodeModel(encodeModel(once)), { sparsity: 0.6, regrowth: true })).graph;
    expect(again.nodes).toHaveLength(once.nodes.length);
    expect(threshold(again)).toBe(2);
    expect([...toNumbers(again.initializers.get("w")!)]).toEqual([3, -1, 0.5, 1, -2, 4]);
    const fixed = await prune(again, { sparsity: 0.5 });
    expect([...toNumbers(fixed.graph.initializers.get("w")!)]).toEqual([3, 0, 0, 0, 0, 4]);
    expect(fixed.graph.nodes.map(({ op }) => op)).not.toContain("StraightThrough");
    expect(fixed.changes).toEqual(["layer: 6 weights to 2"]);
  });

  it("lets weights come back in training, and others go", async () => {
    const faces = createFaces({ size: 48, channels: 1, trainSamples: 48, testSamples: 0, seed: 3 });
    const net = findArchitecture("faces-net").build({ classes: 8, channels: 1, size: 48, width: 8 }, createRandom(3));
    const { graph } = await prune(net, { sparsity: 0.8, scope: "layer", regrowth: true });
    const options = trainingSchema.parse({ epochs: 2, batch: 16, threads: 1, seed: 5, optimizer: "adam", lr: 0.01 });
    const { classes, preprocessing } = { classes: 8, preprocessing: faces.preprocessing };
    const data = { train: faces.train, classes, storedShape: [1, 48, 48], preprocessing } as const;
    const trained = (await trainModel(graph, data, { options, inline: true })).graph;
    const [before, after] = [shipped(graph), shipped(trained)];
    let [came, went] = [0, 0];
    for (const [i, values] of before.entries())
      for (const [at, value] of values.entries()) {
        came += value === 0 && after[i]![at] !== 0 ? 1 : 0;
        went += value !== 0 && after[i]![at] === 0 ? 1 : 0;
      }
    expect(came).toBeGreaterThan(20);
    expect(went).toBeGreaterThan(20);
    for (const [name, tensor] of graph.initializers)
      if (name.endsWith("/threshold")) expect(trained.initializers.get(name)).toEqual(tensor);
  });
});
