/** Where a file's bytes go: counted against streams that are known. */
import { expect, it } from "vitest";
import { entropyBits } from "../../src/codec/entropy.ts";
import { encodeHuffman } from "../../src/codec/huffman-encoder.ts";
import { encodeSymbols, idealBits } from "../../src/codec/symbols-encoder.ts";
import { describeCoding } from "../../src/format/describe-coding.ts";
import { writePare } from "../../src/format/write.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf } from "../../src/tensor/tensor.ts";
import { Net } from "../analysis/nets.ts";

const random = createRandom(7);
/** About 80 % zeros, then -1 and 1, seldom 2. */
const draw = () => {
  const u = random.uniform();
  return u < 0.8 ? 0 : u < 0.89 ? -1 : u < 0.98 ? 1 : 2;
};

it("tells each layer's weights, and what other codes would take", () => {
  const steps = Array.from({ length: 40 * 50 }, draw);
  const net = new Net(["N", 40]);
  const w = net.g.initializer("w", tensorOf("float32", [40, 50], steps));
  const v = net.g.initializer(
    "v",
    tensorOf(
      "float32",
      [50, 2],
      Array.from({ length: 100 }, () => random.uniform() - 0.5),
    ),
  );
  const hidden = net.g.op("Gemm", ["x", w]);
  const bytes = writePare(net.done(net.g.op("Gemm", [hidden, v])));
  const coding = describeCoding(bytes);
  const [first, second] = coding.layers;
  const left = steps.filter((step) => step !== 0).length;
  const symbols = Uint8Array.from(steps, (step) => [1, 0, 2, 3][step + 1]!);
  expect(first).toMatchObject({
    layer: "Gemm 1",
    shape: [40, 50],
    weights: 2000,
    density: left / 2000,
    values: 4,
    entropyBytes: Math.ceil(entropyBits(symbols) / 8),
    huffmanBytes: encodeHuffman(symbols, 4).length,
  });
  expect(second).toMatchObject({ weights: 100, density: 1, values: 0, bytes: 400, huffmanBytes: 400 });
  expect(coding.weights).toMatchObject({ count: 2100, density: (left + 100) / 2100, bytes: first!.bytes + 400 });
  expect(coding.fileBytes).toBe(bytes.length);
  expect(coding.weights.bytes + coding.otherBytes + coding.structureBytes).toBe(bytes.length);
  expect(coding.histogram.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  expect(coding.histogram[20]).toBeGreaterThan(0.7);
});

it("holds a stream's length to what its models expect", () => {
  const symbols = Uint8Array.from({ length: 20_000 }, () => Math.max(0, draw()));
  const shape = { alphabet: 3, row: 100 };
  const bytes = encodeSymbols(symbols, shape);
  const expected = idealBits(bytes, symbols, shape) / 8;
  expect(bytes.length).toBeGreaterThan(expected);
  expect(bytes.length).toBeLessThan(1.003 * expected + 5);
  expect(idealBits(new Uint8Array(0), new Uint8Array(0), shape)).toBe(0);
});
