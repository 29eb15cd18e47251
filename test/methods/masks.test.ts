/** Pruned weights stay zero through training, other methods and export, whichever way they are masked. */
import { describe, expect, it } from "vitest";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { createSamples } from "../../src/engine/samples.ts";
import { trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { readPare } from "../../src/format/read-pare.ts";
import { graphOf } from "../../src/format/to-graph.ts";
import { writePare } from "../../src/format/write.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod, type TrainingRecipe } from "../../src/methods/index.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { foldConstantsWith, shippingPasses, simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { fixtureContext } from "./fixtures.ts";

const faces = createFaces({ size: 48, channels: 1, trainSamples: 48, testSamples: 0, seed: 3 });
const format = { classes: 8, storedShape: [1, 48, 48], preprocessing: faces.preprocessing } as const;
const samples = createSamples(faces.train, { ...format, seed: 1, threads: 1 });
const net = () => findArchitecture("faces-net").build({ classes: 8, channels: 1, size: 48, width: 4 }, createRandom(3));

const apply = (name: string, graph: Graph, given: Readonly<Record<string, unknown>>) => {
  const method = findMethod(name);
  return method.apply(graph, method.params.parse(given), fixtureContext(samples));
};
const prune = async (given: Readonly<Record<string, unknown>>) =>
  (await apply("prune-magnitude", net(), { sparsity: 0.7, scope: "layer", ...given })).graph;

async function train(graph: Graph, recipe?: TrainingRecipe): Promise<Graph> {
  const options = trainingSchema.parse({ epochs: 1, batch: 16, threads: 1, seed: 5, optimizer: "adam", lr: 0.01 });
  return (await trainModel(graph, { train: faces.train, ...format }, { options, recipe, inline: true })).graph;
}

/** Where the weights of each layer are zero once the model is shipped; .pare files know no names. */
function zeroPlaces(graph: Graph): boolean[][] {
  const plain = simplify(graph, [...shippingPasses, foldConstantsWith({ parameters: true })]).graph;
  const layers = plain.nodes.filter(({ op }) => op === "Conv" || op === "Gemm");
  return layers.map(({ inputs }) => Array.from(toNumbers(plain.initializers.get(inputs[1]!)!), (w) => w === 0));
}

function zeroShare(graph: Graph): number {
  const all = zeroPlaces(graph).flat();
  return all.filter(Boolean).length / all.length;
}

function expectZeros(graph: Graph, places: readonly (readonly boolean[])[]): void {
  const now = zeroPlaces(graph);
  expect(now.map(({ length }) => length)).toEqual(places.map(({ length }) => length));
  for (const [layer, zeros] of places.entries()) {
    const back = zeros.filter((zero, i) => zero && !now[layer]![i]).length;
    expect(back, `weights of layer ${layer} that came back`).toBe(0);
  }
}

/** The network as it is read again from an .onnx and from a .pare file. */
const exported = (graph: Graph): Graph[] => {
  const shipped = simplify(graph, shippingPasses).graph;
  return [decodeModel(encodeModel(graph)), decodeModel(encodeModel(shipped)), graphOf(readPare(writePare(shipped)))];
};

describe.each([
  ["fixed", {}],
  ["regrowing", { regrowth: true }],
])("under a %s mask", (form, given) => {
  it.each([
    ["cluster-weights", { bits: 3 }],
    ["cluster-weights", { meanBits: 2.5 }],
    ["quantize-int8", { samples: 16 }],
    ["penalize-entropy", { step: 0.1 }],
  ])("zeros outlast %s %o and export", async (method, params) => {
    const pruned = await prune(given);
    const places = zeroPlaces(pruned);
    expect(zeroShare(pruned)).toBeCloseTo(0.7, 2);
    const { graph, changes } = await apply(method, pruned, params);
    expect(changes.length).toBeGreaterThan(0);
    for (const read of [graph, ...exported(graph)]) expectZeros(read, places);
  });

  it("zeros outlast prune-channels, its training and export", async () => {
    const { graph } = await apply("prune-channels", await prune(given), { ratio: 0.25, importance: "l1" });
    // What goes are channels of small weights, and more zeros than elsewhere.
    expect(zeroShare(graph)).toBeGreaterThan(0.55);
    const places = zeroPlaces(graph);
    for (const read of exported(graph)) expectZeros(read, places);
    const trained = await train(graph);
    if (form === "fixed") expectZeros(trained, places);
    else expect(zeroShare(trained)).toBeGreaterThan(0.3);
  });

  it("zeros outlast training between methods", async () => {
    const pruned = await train(await prune(given));
    const places = zeroPlaces(pruned);
    const shared = await train((await apply("cluster-weights", pruned, { bits: 3 })).graph);
    expectZeros(shared, places);
    const quantized = (await apply("quantize-int8", shared, { samples: 16 })).graph;
    for (const read of [quantized, ...exported(quantized)]) expectZeros(read, places);
  });
});

it("a mask is left where a layer is kept, and goes on regrowing", async () => {
  const pruned = await prune({ regrowth: true });
  const { graph } = await apply("cluster-weights", pruned, { keep: ["stem"] });
  expect(graph.nodes.filter(({ op }) => op === "StraightThrough")).toHaveLength(1);
});
