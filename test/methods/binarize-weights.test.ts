import { describe, expect, it } from "vitest";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { openSession } from "../../src/engine/session.ts";
import { trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { readPare } from "../../src/format/read-pare.ts";
import { writePare } from "../../src/format/write.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { shippingPasses, simplify } from "../../src/passes/index.ts";
import { load } from "../../src/runtime/load.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { Net } from "../analysis/nets.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { fixtureBatch, fixtureContext, fixtures } from "./fixtures.ts";

const method = findMethod("binarize-weights");
const apply = (graph: Graph, given: Readonly<Record<string, unknown>>) =>
  method.apply(graph, method.params.parse(given), fixtureContext());
const ship = (graph: Graph) => simplify(graph, shippingPasses).graph;

/** Distinct magnitudes in each row of a weight. */
function magnitudes(graph: Graph, op: string): number[][] {
  return graph.nodes
    .filter((node) => node.op === op)
    .flatMap((node) => {
      const weight = graph.initializers.get(node.inputs[1]!)!;
      const values = [...toNumbers(weight)];
      const row = values.length / weight.shape[0]!;
      return Array.from({ length: weight.shape[0]! }, (_, o) => [
        ...new Set(values.slice(o * row, (o + 1) * row).map(Math.abs)),
      ]);
    });
}

describe("binarize-weights", () => {
  it("takes the mean magnitude of each output and the signs, of columns too", async () => {
    const net = new Net(["N", 3]);
    const w = net.g.initializer("w", tensorOf("float32", [3, 2], [1, -2, 0, 4, -5, -6]));
    const graph = net.done(net.g.op("MatMul", ["x", w], {}, { name: "layer" }));
    const shipped = ship((await apply(graph, { ends: true })).graph);
    const [layer] = shipped.nodes as [Graph["nodes"][number]];
    expect([layer.op, layer.attributes.transB?.value]).toEqual(["Gemm", 1]);
    expect([...toNumbers(shipped.initializers.get(layer.inputs[1]!)!)]).toEqual([2, 2, -2, -4, 4, -4]);
  });

  it("gives y = (αB * sign x) · K + b, K the mean of |x| under the window", async () => {
    const net = new Net(["N", 2, 3, 3]);
    const values = [0, -1, 2, 3, -4, 5, 6, 7, -8, 1, 1, -1, 2, 0, 2, -3, 3, 3];
    const graph = net.done(net.conv("layer", "x", 1, 3));
    const { graph: binary } = await apply(graph, { ends: true, activations: true });
    const [weights, bias] = ["layer.w", "layer.b"].map((name) => [...toNumbers(graph.initializers.get(name)!)]);
    const alpha = weights!.reduce((sum, w) => sum + Math.abs(w), 0) / 18;
    const signs = values.reduce((sum, x, i) => sum + Math.sign(x) * (weights![i]! < 0 ? -alpha : alpha), 0);
    const mean = values.reduce((sum, x) => sum + Math.abs(x), 0) / 18;
    const feeds = new Map([["x", tensorOf("float32", [1, 2, 3, 3], values)]]);
    const got = toNumbers([...evaluateGraph(binary, feeds).values()][0]!);
    expect(got[4]).toBeCloseTo(signs * mean + bias![0]!, 4);
  });

  it("says what stays, and why", async () => {
    const { changes, skipped } = await apply(fixtures.depthwise!(), { activations: true });
    expect(changes.map((line) => line.split(":")[0])).toEqual(["point", "hidden"]);
    expect(skipped.map(({ node, reason }) => `${node}: ${reason}`)).toEqual([
      "stem: the first and the last layer stay in float",
      "deep: it is depthwise: a bit a weight saves little",
      "head: the first and the last layer stay in float",
    ]);
  });

  it.each(Object.keys(fixtures))("%s: the shipped file computes the same in the runtime", async (name) => {
    const { graph } = await apply(fixtures[name]!(), { activations: true, ends: true });
    const shipped = ship(graph);
    expect(shipped.nodes.filter(({ domain }) => domain !== "")).toEqual([]);
    const batch = fixtureBatch();
    const want = toNumbers([...evaluateGraph(graph, new Map([["x", batch]])).values()][0]!);
    const network = await load(writePare(shipped));
    const got = Object.values(network.run(Float32Array.from(toNumbers(batch))))[0]!;
    const scale = Math.max(...want.map(Math.abs));
    for (const [i, value] of want.entries()) expect(Math.abs(got[i]! - value) / scale).toBeLessThan(1e-5);
  });

  it.skipIf(!haveSharedModels)(`writes about a bit a weight ${needsShared}`, async () => {
    const { graph } = await apply(await sharedModel("mlperftiny_resnet8_cifar10"), {});
    const file = readPare(writePare(ship(graph)));
    const layers = file.nodes.filter(({ op }) => op === "Conv").map(({ inputs }) => file.tensors.get(inputs[1]!)!);
    for (const { content, shape, storedBytes } of layers.slice(1)) {
      const weights = shape.reduce((product, size) => product * size, 1);
      expect(content).toMatchObject({ form: "symbols", table: expect.arrayContaining([1, -1]) });
      if (content.form === "symbols") expect(content.table).toHaveLength(2);
      expect((8 * storedBytes) / weights).toBeLessThan(1.02);
    }
  });

  it("is trained through, and ships binary", async () => {
    const faces = createFaces({ size: 48, channels: 1, trainSamples: 48, testSamples: 0, seed: 3 });
    const net = findArchitecture("faces-net").build({ classes: 8, channels: 1, size: 48, width: 4 }, createRandom(3));
    const options = trainingSchema.parse({ epochs: 2, batch: 16, threads: 1, seed: 5, optimizer: "adam", lr: 0.005 });
    const shape = [1, 48, 48] as const;
    const data = { train: faces.train, classes: 8, storedShape: shape, preprocessing: faces.preprocessing };
    const { graph } = await apply(net, { activations: true, ends: true });
    const trained = await trainModel(graph, data, { options, inline: true });
    const [before, after] = [ship(graph), ship(trained.graph)];
    expect(after.nodes.some(({ op }) => op === "Sign")).toBe(true);
    for (const row of magnitudes(after, "Conv").filter(([, ...others]) => others.length > 0)) expect(row).toEqual([]);
    const signs = (shipped: Graph) =>
      shipped.nodes
        .filter(({ op }) => op === "Conv")
        .flatMap(({ inputs }) => [...toNumbers(shipped.initializers.get(inputs[1]!)!)].map(Math.sign));
    const flipped = signs(after).filter((sign, i) => sign !== signs(before)[i]).length;
    expect(flipped).toBeGreaterThan(0);
    const session = await openSession(after);
    await session.release();
  }, 60_000);
});
