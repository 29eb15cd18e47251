import { describe, expect, it } from "vitest";
import { analyzeCost } from "../../src/analysis/index.ts";
import { openSession } from "../../src/engine/session.ts";
import { feeds, type Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { inferFacts } from "../../src/ops/infer.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { Net } from "../analysis/nets.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { fixtureContext, fixtures } from "./fixtures.ts";

const method = findMethod("prune-channels");
const prune = (graph: Graph, given: Readonly<Record<string, unknown>>) =>
  method.apply(graph, method.params.parse({ importance: "l1", ...given }), fixtureContext());
const width = (graph: Graph, weight: string) => graph.initializers.get(weight)!.shape[0]!;

/** Two layers of 8 channels; channel c of the first has weights and normalization scale in proportion to `sizes[c]`. */
function ordered(sizes: readonly number[]): Graph {
  const net = new Net(["N", 3, 6, 6]);
  const first = net.relu(net.batchnorm("bn", net.conv("first", "x", 8, 3)));
  const second = net.conv("second", first, 8);
  const fill = (name: string, value: (i: number) => number) => {
    const before = net.g.initializers.get(name)!;
    const values = toNumbers(before).map((_, i) => value(i));
    net.g.initializers.set(name, tensorOf("float32", before.shape, values));
  };
  fill("first.w", (i) => sizes[Math.floor(i / 27)]!);
  fill("bn.scale", (i) => sizes[i]!);
  fill("second.w", (i) => sizes[i % 8]!);
  return net.done(second);
}

describe("prune-channels", () => {
  for (const importance of ["l1", "bn-scale"])
    it(`removes the channels that are least by ${importance}`, async () => {
      const sizes = [5, 1, 7, 2, 8, 3, 6, 4];
      const { graph, changes } = await prune(ordered(sizes), { ratio: 0.5, importance, roundTo: 1 });
      expect([...toNumbers(graph.initializers.get("bn.scale")!)]).toEqual([5, 7, 8, 6]);
      expect(changes).toEqual(["first: 8 channels to 4"]);
    });

  it("wants exactly one budget", async () => {
    for (const given of [{}, { macs: 0.5, ratio: 0.5 }])
      await expect(prune(fixtures.fire!(), given)).rejects.toThrow("exactly one of --macs, --parameters and --ratio");
  });

  it("spares named layers and what is tied to them", async () => {
    const before = fixtures.residual!();
    const { graph } = await prune(before, { ratio: 0.2, keep: ["stem"], roundTo: 1 });
    expect(["stem.w", "outer.w"].map((name) => width(graph, name))).toEqual([8, 8]);
    expect(width(graph, "inner.w")).toBeLessThan(12);
  });

  it("keeps a share of every group and multiples of roundTo", async () => {
    const { graph } = await prune(fixtures.residual!(), { macs: 0.5, roundTo: 4, minShare: 0.3 });
    for (const [name, least] of [
      ["stem.w", 4],
      ["inner.w", 4],
    ] as const) {
      expect(width(graph, name) % 4).toBe(0);
      expect(width(graph, name)).toBeGreaterThanOrEqual(least);
    }
  });

  it("says so where the budget cannot be met", async () => {
    await expect(prune(fixtures.fire!(), { macs: 0.05, minShare: 0.9 })).rejects.toThrow("the budget cannot be met");
  });

  it("lists the layers whose channels reach the output", async () => {
    const { skipped } = await prune(fixtures.fire!(), { ratio: 0.3 });
    expect(skipped.map(({ node }) => node)).toEqual(["Conv 'scores'"]);
  });
});

const cases: readonly { model: string; given: Readonly<Record<string, unknown>>; kept: number; weights: number }[] = [
  { model: "cifar10_resnet32", given: { macs: 0.5 }, kept: 0.5, weights: 32 },
  { model: "mlperftiny_resnet8_cifar10", given: { macs: 0.7 }, kept: 0.7, weights: 10 },
  { model: "squeezenet_v1.1", given: { macs: 0.7 }, kept: 0.7, weights: 26 },
  { model: "emotion_mini_xception_fer2013", given: { macs: 0.7 }, kept: 0.7, weights: 23 },
];

describe("published models", () => {
  for (const { model, given, kept, weights } of cases)
    it.skipIf(!haveSharedModels)(`${model} keeps ${100 * kept} % of its MACs ${needsShared}`, async () => {
      const before = await sharedModel(model);
      const { graph, skipped } = await prune(before, given);
      expect(Math.abs(analyzeCost(graph).macs / analyzeCost(before).macs - kept)).toBeLessThan(0.03);
      // Only the layer that gives the classes may stay whole, and it is named.
      expect(skipped.length).toBe(1);
      expect(graph.nodes.filter(({ op }) => op === "Conv" || op === "Gemm").length).toBe(weights);
      const session = await openSession(graph);
      const [input] = feeds(graph);
      const shape = input!.shape!.map((dim) => (typeof dim === "number" ? dim : 1));
      const zeros = tensorOf("float32", shape, new Float64Array(shape.reduce((a, b) => a * b, 1)));
      const [output] = (await session.run(new Map([[input!.name, zeros]]))).values();
      await session.release();
      const declared = inferFacts(before, { batch: 1 }).get(before.outputs[0]!.name)!.shape;
      expect([...output!.shape]).toEqual(declared);
      expect(toNumbers(output!).every(Number.isFinite)).toBe(true);
    });
});
