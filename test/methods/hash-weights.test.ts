/** HashedNets: the hash and its gradient, files that hold values and a seed, and training that moves what is shared. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { openSession } from "../../src/engine/session.ts";
import { trainModel } from "../../src/engine/train.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { readPare } from "../../src/format/read-pare.ts";
import { graphOf } from "../../src/format/to-graph.ts";
import { writePare } from "../../src/format/write.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { hashInputs } from "../../src/ops/hashed-weight.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { shippingPasses, simplify } from "../../src/passes/index.ts";
import { load } from "../../src/runtime/load.ts";
import { hashIndices, hashOf } from "../../src/tensor/hash.ts";
import { cosines, inverseDct } from "../../src/tensor/inverse-dct.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { Net } from "../analysis/nets.ts";
import { expectClose } from "../ops/check-op.ts";
import { fixtureBatch, fixtureContext, fixtures } from "./fixtures.ts";

const docs = readFileSync(new URL("../../docs/format.md", import.meta.url), "utf8");
const method = findMethod("hash-weights");
const hash = (graph: Graph, given: Readonly<Record<string, unknown>> = {}) =>
  method.apply(graph, method.params.parse(given), fixtureContext());

const ship = (graph: Graph) => simplify(graph, shippingPasses).graph;
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);
const squares = (values: ArrayLike<number>) => sum(Array.from(values, (value) => value * value));

/** What the only weighted layer of a graph reads. */
function weightOf(graph: Graph): Float64Array {
  const layer = graph.nodes.find(({ op }) => op === "Gemm" || op === "Conv")!;
  const name = layer.inputs[1]!;
  const nodes = graph.nodes.filter(({ domain }) => domain === "netpare");
  return toNumbers(evaluateGraph({ ...graph, nodes }, new Map(), [name]).get(name)!);
}

/** A dense layer of `rows` by `columns` normal weights. */
function layer(rows: number, columns: number): Graph {
  const net = new Net(["N", rows]);
  return net.done(net.g.op("Gemm", ["x", net.weight("w", rows, columns)], {}, { name: "layer" }));
}

/** A convolution of normal kernels. */
function convolution(kernel: number): Graph {
  const net = new Net(["N", 3, 9, 9]);
  return net.done(net.conv("layer", "x", 16, kernel));
}

/** `HashedWeight`, `InverseDct` behind it, and the gradient of a loss of both. */
function hashed(shape: readonly number[], counts: readonly number[], seed: number) {
  const g = new TypedBuilder("hashed");
  const values = g.input("values", "float32", [sum(counts)]);
  const inputs = hashInputs(shape, counts, seed).map((t) => g.initializer("hash", t));
  const [weight] = g.node("HashedWeight", [values, ...inputs], 1, {}, { domain: "netpare" }) as [string];
  const kernels = g.op("InverseDct", [weight], {}, { domain: "netpare" });
  const loss = g.reduceSum(
    g.mul(g.mul(kernels, kernels), g.initializer("c", normal(shape))),
    shape.map((_, axis) => axis),
    false,
  );
  const gradient = appendGradient(g, g.add(loss, g.reduceSum(g.mul(weight, weight), [0, 1, 2, 3], false)), [values]);
  for (const name of [weight, kernels, loss, gradient.get(values)!]) g.output(name);
  return g.build();
}

const random = createRandom(11);
const normal = (shape: readonly number[]): Tensor =>
  tensorOf(
    "float32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

describe("the hash", () => {
  it("is the one that docs/format.md states", () => {
    const [, said] = /elements 0 to 3 have the\s+hashes ([\d, ]+)\./.exec(docs) ?? [];
    expect([0, 1, 2, 3].map((place) => hashOf(place, 1)).join(", ")).toBe(said);
    // By the formula, in exact integers.
    const exact = (place: bigint, seed: bigint) => {
      const [p, q, wrap] = [668265263n, 374761393n, 2n ** 32n];
      const mix = (x: bigint) => {
        const y = (x * (2n * (x / 65536n) + 1n)) % wrap;
        return (y + y / 65536n) % wrap;
      };
      return Number(mix((p * mix((q * mix((p * place + seed) % wrap)) % wrap)) % wrap));
    };
    for (const place of [0, 1, 2, 783_999, 2 ** 31 - 1])
      for (const seed of [0, 1, 0x9e3779b9, 2 ** 32 - 1])
        expect(hashOf(place, seed), `${place}, ${seed}`).toBe(exact(BigInt(place), BigInt(seed)));
  });

  it("spreads places evenly over values and signs, rows and columns alike", () => {
    const [rows, columns, count] = [784, 100, 1000];
    for (const seed of [0, 1, 2, 0xdeadbeef]) {
      const indices = hashIndices(rows * columns, [count], seed);
      const members = new Float64Array(2 * count);
      for (const at of indices) members[at < 0 ? count - 1 - at : at]!++;
      const expected = (rows * columns) / (2 * count);
      const chi = sum(members.map((found) => (found - expected) ** 2 / expected));
      // 1999 degrees of freedom: a standard deviation of 63.
      expect(Math.abs(chi - 1999)).toBeLessThan(300);
      for (const step of [1, columns, columns + 1]) {
        let [equal, agreeing] = [0, 0];
        for (let i = 0; i + step < indices.length; i++) {
          const [a, b] = [indices[i]!, indices[i + step]!];
          if ((a < 0 ? -1 - a : a) === (b < 0 ? -1 - b : b)) equal++;
          if (a < 0 === b < 0) agreeing++;
        }
        expect(Math.abs(equal - indices.length / count)).toBeLessThan(45);
        expect(Math.abs(agreeing / indices.length - 0.5)).toBeLessThan(0.01);
      }
    }
  });

  it.each([
    [[6, 3, 2, 2], [5, 3, 2, 2], 4123456789],
    [[40, 7, 3, 5], [61], 0],
    [[9, 1, 4, 1], [3, 1, 7, 2], 2 ** 32 - 1],
  ])("gives [%s] the same elements and gradient in every engine", async (shape, counts, seed) => {
    const graph = hashed(shape, counts, seed);
    const feeds = new Map([["values", normal([sum(counts)])]]);
    const expected = evaluateGraph(graph, feeds);
    for (const optimize of [true, false]) {
      const session = await openSession(encodeModel(graph), { optimize });
      const found = await session.run(feeds);
      await session.release();
      for (const [name, value] of expected) expectClose(name, found.get(name)!, value, 1e-5);
      const [weight] = graph.outputs;
      expect(found.get(weight!.name)!.data).toEqual(expected.get(weight!.name)!.data);
    }
  });

  it("has the gradient that differences show", () => {
    const graph = hashed([6, 3, 2, 2], [5, 3, 2, 2], 77);
    const [, , loss, gradient] = graph.outputs.map(({ name }) => name) as [string, string, string, string];
    const at = (values: ArrayLike<number>) =>
      evaluateGraph(graph, new Map([["values", tensorOf("float32", [12], values)]]));
    const start = Array.from({ length: 12 }, () => Math.fround(random.normal()));
    const slope = toNumbers(at(start).get(gradient)!);
    // The loss of the graph's outputs lacks the squares of the weights, whose gradient is 2 n v.
    const members = new Float64Array(12);
    for (const i of hashIndices(72, [5, 3, 2, 2], 77)) members[i < 0 ? -1 - i : i]!++;
    for (let k = 0; k < 12; k++) {
      const [more, less] = [2 ** -6, -(2 ** -6)].map((step) =>
        Number(at(start.with(k, start[k]! + step)).get(loss)!.data[0]),
      ) as [number, number];
      const expected = (more - less) / 2 ** -5 + 2 * members[k]! * start[k]!;
      expect(Math.abs(slope[k]! - expected)).toBeLessThan(0.01 * Math.max(1, Math.abs(expected)));
    }
  });

  it("is over frequencies that an orthonormal transform gives", () => {
    for (const [rows, columns] of [
      [3, 3],
      [1, 5],
      [4, 2],
    ] as const) {
      const a = cosines(rows);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < rows; j++) {
          const product = sum(Array.from({ length: rows }, (_, k) => a[i * rows + k]! * a[j * rows + k]!));
          expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
        }
      const x = toNumbers(normal([2, rows, columns]));
      expect(squares(inverseDct(x, rows, columns))).toBeCloseTo(squares(x), 6);
    }
    // Frequency 0 alone is a constant map.
    expect([...inverseDct([6, 0, 0, 0, 0, 0], 2, 3)].every((y) => Math.abs(y - Math.sqrt(6)) < 1e-12)).toBe(true);
  });
});

describe("hash-weights", () => {
  it("keeps as many values as asked, and weights of the variance they had", async () => {
    const { graph, changes } = await hash(layer(200, 60), { compression: 1 / 16 });
    expect(changes).toEqual(["layer: 12000 weights of 750 values"]);
    expect(graph.initializers.get("w/values")!.shape).toEqual([750]);
    expect(graph.initializers.has("w")).toBe(false);
    const [before, after] = [weightOf(layer(200, 60)), weightOf(graph)];
    expect(new Set(after.map(Math.abs)).size).toBe(750);
    expect(squares(after) / squares(before)).toBeGreaterThan(0.8);
    expect(squares(after) / squares(before)).toBeLessThan(1.2);
  });

  it("starts from the nearest weights where asked", async () => {
    const before = weightOf(layer(200, 60));
    const after = weightOf((await hash(layer(200, 60), { start: "mean" })).graph);
    // Least squares: what is left is at a right angle to what was found.
    const along = sum(after.map((value, i) => value * (before[i]! - value)));
    expect(Math.abs(along) / squares(before)).toBeLessThan(1e-6);
    expect(squares(after) / squares(before)).toBeCloseTo(0.125, 1);
  });

  it("keeps kernels that are low frequencies alone, by frequency", async () => {
    const graph = convolution(3);
    const flat = tensorOf(
      "float32",
      [16, 3, 3, 3],
      Array.from({ length: 432 }, (_, i) => Math.sin(Math.floor(i / 9))),
    );
    const smooth = { ...graph, initializers: new Map(graph.initializers).set("layer.w", flat) };
    const error = async (given: object) => {
      const after = weightOf((await hash(smooth, { compression: 0.25, start: "mean", ...given })).graph);
      return squares(after.map((value, i) => value - Number(flat.data[i])));
    };
    const left = [await error({ frequency: true }), await error({})] as const;
    expect(left[0]).toBeLessThan(0.75 * left[1]);
    const { graph: made } = await hash(graph, { compression: 0.25, frequency: true });
    const counts = [...toNumbers(made.initializers.get("layer.w/counts")!)];
    expect(sum(counts)).toBe(108);
    expect(counts[0]).toBe(Math.max(...counts));
    expect(counts[8]).toBe(Math.min(...counts));
    const most = (await hash(graph, { compression: 0.95, frequency: true })).graph;
    const full = [...toNumbers(most.initializers.get("layer.w/counts")!)];
    expect(sum(full)).toBe(410);
    expect(Math.max(...full)).toBe(48);
  });

  it("says which weights it leaves, and why", async () => {
    const { graph, changes, skipped } = await hash(layer(1, 3), { compression: 0.9 });
    expect(changes).toEqual([]);
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Gemm"]);
    expect(skipped).toEqual([{ node: "layer", reason: "it has 3 weights, and would have as many values" }]);
    const few = await hash(convolution(5), { compression: 0.01, frequency: true });
    expect(few.skipped[0]!.reason).toBe("each of its 25 frequencies wants a value, and 12 are to be had");
    const pruned = await findMethod("prune-magnitude").apply(
      layer(8, 8),
      findMethod("prune-magnitude").params.parse({ sparsity: 0.5 }),
      fixtureContext(),
    );
    expect((await hash(pruned.graph)).skipped[0]!.reason).toMatch(/^its weight is pruned/);
    const twice = await hash((await hash(layer(8, 8))).graph);
    expect(twice.skipped).toEqual([
      { node: "Gemm 'layer'", reason: expect.stringMatching(/^its weight is computed by HashedWeight/) },
    ]);
    await expect(hash(layer(8, 8), { keep: ["nobody"] })).rejects.toThrow("'nobody' names no");
  });

  it("draws another hash for another seed and for each layer", async () => {
    const seedOf = (graph: Graph) =>
      [...graph.initializers].filter(([name]) => name.endsWith("/seed")).map(([, t]) => toNumbers(t)[0]!);
    const { graph } = await hash(fixtures.residual!());
    const other = await method.apply(fixtures.residual!(), method.params.parse({}), { ...fixtureContext(), seed: 2 });
    const seeds = [...seedOf(graph), ...seedOf(other.graph)];
    expect(seeds).toHaveLength(8);
    expect(new Set(seeds).size).toBe(8);
  });
});

describe("files", () => {
  it.each([
    ["residual", { frequency: true }],
    ["depthwise", {}],
    ["dense", { compression: 0.3, frequency: true }],
  ])("of %s with %o hold values and seeds, and run alike in every engine", async (name, given) => {
    const { graph } = await hash(fixtures[name]!(), given);
    const feeds = new Map([[graph.inputs[0]!.name, fixtureBatch()]]);
    const output = graph.outputs[0]!.name;
    const expected = evaluateGraph(graph, feeds).get(output)!;
    const shipped = ship(graph);
    expect(shipped.nodes.filter(({ op }) => op === "HashedWeight").length).toBeGreaterThan(2);
    const onnx = encodeModel(shipped);
    expect(encodeModel(decodeModel(onnx))).toEqual(onnx);
    const session = await openSession(onnx);
    const inOnnx = (await session.run(feeds)).get(output)!;
    await session.release();
    expectClose("onnxruntime", inOnnx, expected, 1e-5);

    const pare = writePare(shipped);
    const back = graphOf(readPare(pare));
    expect(writePare(back)).toEqual(pare);
    const network = await load(pare);
    const inPare = network.run(feeds.values().next().value!.data as Float32Array)[output]!;
    expectClose("runtime", tensorOf("float32", expected.shape, inPare), expected, 1e-5);
    const dense = writePare(ship(fixtures[name]!()));
    expect(pare.length).toBeLessThan(0.75 * dense.length);
  });

  it("of a large layer take the room of its values", async () => {
    const net = findArchitecture("mlp").build({ units: 100 }, createRandom(1));
    const { graph } = await hash(net, { compression: 1 / 64 });
    const values = [...graph.initializers].filter(([name]) => name.endsWith("/values"));
    const stored = sum(values.map(([, t]) => t.data.length)) + 110;
    expect(stored).toBe(1225 + 16 + 110);
    expect(writePare(ship(graph)).length).toBeLessThan(4 * stored + 300);
    // The functions that make weights of them take 4 kB.
    expect(encodeModel(ship(graph)).length).toBeLessThan(4 * stored + 6000);
  });

  it("hold values in fewer bits where they have them", async () => {
    const { graph } = await hash(layer(100, 40));
    const rounded = new Map(graph.initializers);
    const values = rounded.get("w/values")!;
    rounded.set(
      "w/values",
      tensorOf(
        "float32",
        values.shape,
        toNumbers(values).map((v) => Math.round(4 * v) / 4),
      ),
    );
    const [content] = [...readPare(writePare({ ...graph, initializers: rounded })).tensors.values()]
      .map((tensor) => tensor.content)
      .filter(({ form }) => form === "hashed");
    expect(content?.form === "hashed" && content.values.content.form).toBe("symbols");
  });
});

it("trains the values, from which the same weights are made again", async () => {
  const faces = createFaces({ size: 48, channels: 1, trainSamples: 48, testSamples: 0, seed: 3 });
  const net = findArchitecture("faces-net").build({ classes: 8, channels: 1, size: 48, width: 8 }, createRandom(3));
  const { graph } = await hash(net, { frequency: true, compression: 0.2 });
  const data = {
    train: faces.train,
    validation: undefined,
    classes: 8,
    storedShape: [1, 48, 48] as const,
    preprocessing: faces.preprocessing,
  };
  const options = trainingSchema.parse({ epochs: 2, batch: 16, threads: 1, seed: 5, optimizer: "adam", lr: 0.002 });
  const trained = (await trainModel(graph, data, { options, inline: true })).graph;
  expect(trained.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
  for (const [name, tensor] of graph.initializers) {
    const after = trained.initializers.get(name)!;
    if (/\/(shape|counts|seed)$/.test(name)) expect(after.data, name).toEqual(tensor.data);
    if (!name.endsWith("/values")) continue;
    const moved = toNumbers(after).filter((value, i) => value !== toNumbers(tensor)[i]).length;
    // A value that no place hashes to stays.
    expect(moved / tensor.data.length, name).toBeGreaterThan(0.7);
  }
});
