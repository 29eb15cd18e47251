/** A thousand seeded mutations of each model: bit flips, truncations, splices. Every one decodes or throws a NetpareError of one line. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { createRandom, type Random } from "../../src/tensor/random.ts";
import { haveSharedModels, needsShared, sharedModelFile } from "../shared-models.ts";
import { attribute, elem, floats, int64s, modelBytes, node, randomFloats, value } from "./build-model.ts";

const mutations = 1000;

/** A model of an old opset with typed fields, so that rules run on what was mutated. */
const old = modelBytes({
  opset: 8,
  inputs: [value("x", [1, 2, 6, 6])],
  outputs: [value("y", ["n", 4])],
  nodes: [
    node("Conv", ["x", "w"], ["c"], [attribute.ints("kernel_shape", [3, 3]), attribute.ints("pads", [1, 1, 1, 1])]),
    node("Clip", ["c"], ["d"], [attribute.float("min", 0), attribute.float("max", 6)]),
    node("Pad", ["d"], ["p"], [attribute.ints("pads", [0, 0, 1, 1, 0, 0, 1, 1]), attribute.float("value", 1)]),
    node(
      "Slice",
      ["p"],
      ["s"],
      [attribute.ints("starts", [1, 1]), attribute.ints("ends", [5, 9]), attribute.ints("axes", [2, 3])],
    ),
    node("GlobalAveragePool", ["s"], ["g"]),
    node("Reshape", ["g", "shape"], ["f"]),
    node("Dropout", ["f"], ["o", "mask"], [attribute.float("ratio", 0.5)]),
    node("Softmax", ["o"], ["y"]),
  ],
  initializers: [floats("w", [4, 2, 3, 3], randomFloats(72, 1)), int64s("shape", [-1, 4])],
});

/** A model of a later opset with every kind of leftover. */
const later = modelBytes({
  opset: 20,
  inputs: [value("x", [2, 6])],
  outputs: [value("y", [2, 3]), value("z", [2, 3]), value("m", [])],
  nodes: [
    node("Gelu", ["x"], ["g"], [], { docString: "smooth" }),
    node("Split", ["g"], ["y", "z"], [attribute.int("num_outputs", 2), attribute.int("axis", 1)]),
    node("ReduceMean", ["g", "axes"], ["m"], [attribute.int("keepdims", 0)]),
    node("Pad", ["g", "pads", "", "axes"], ["q"]),
    node("Mine", ["q"], ["r"], [{ name: "body", type: 5, g: { name: "b", node: [node("Relu", ["q"], ["t"])] } }], {
      domain: "mine",
    }),
  ],
  initializers: [
    int64s("axes", [1]),
    int64s("pads", [1, 1]),
    { name: "words", dims: [1n], dataType: elem.string, stringData: [Uint8Array.of(104)] },
    { name: "half", dims: [2n], dataType: elem.float16, int32Data: [15360, 16384] },
  ],
  graph: { valueInfo: [value("g", [2, 6]) as never], quantizationAnnotation: [{ tensorName: "g" }], docString: "d" },
  model: {
    opsetImport: [{ version: 20n }, { domain: "mine", version: 1n }],
    metadataProps: [{ key: "k", value: "v" }],
  },
});

/** A model with external data, which mutations may point anywhere. */
const external = modelBytes({
  opset: 17,
  inputs: [value("x", [2, 2])],
  outputs: [value("y", [2, 2])],
  nodes: [node("Add", ["x", "w"], ["y"])],
  initializers: [
    {
      name: "w",
      dims: [2n, 2n],
      dataType: 1,
      dataLocation: 1,
      externalData: [
        { key: "location", value: "package.json" },
        { key: "offset", value: "16" },
        { key: "length", value: "16" },
      ],
    },
  ],
});

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  // Tensor data is most of a model; half of the hits go to the small part that has structure.
  const at = () => random.below(random.uniform() < 0.5 ? Math.min(bytes.length, 2000) : bytes.length);
  const out = bytes.slice();
  const kind = random.below(4);
  if (kind === 0) for (let hit = 1 + random.below(8); hit > 0; hit--) out[at()]! ^= 1 << random.below(8);
  else if (kind === 1) return out.subarray(0, at());
  else if (kind === 2)
    for (let hit = 1 + random.below(4); hit > 0; hit--) out[at()] = [0, 0x7f, 0x80, 0xff][random.below(4)]!;
  else {
    const from = at();
    const piece = out.slice(from, from + random.below(64));
    const to = at();
    const skip = random.below(2) * piece.length;
    return Buffer.concat([out.subarray(0, to), piece, out.subarray(Math.min(out.length, to + skip))]);
  }
  return out;
}

function fuzz(bytes: Uint8Array, seed: number): { readonly decoded: number; readonly refused: number } {
  const random = createRandom(seed);
  const count = { decoded: 0, refused: 0 };
  for (let i = 0; i < mutations; i++) {
    const mutant = mutate(bytes, random);
    try {
      encodeModel(decodeModel(mutant, { file: "m.onnx", directory: "." }));
      count.decoded++;
    } catch (error) {
      if (!(error instanceof NetpareError)) throw new Error(`mutation ${i} of seed ${seed}`, { cause: error });
      expect(error.message).toMatch(/^m\.onnx: .{1,600}$/);
      count.refused++;
    }
  }
  return count;
}

describe("mutated models decode or are refused", () => {
  it.each([
    ["an old opset", old],
    ["a later opset", later],
    ["external data", external],
  ])("%s", (_, bytes) => {
    const { decoded, refused } = fuzz(bytes, 1);
    expect(decoded).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(200);
  });

  it.skipIf(!haveSharedModels).each(["mnist-8", "mlperftiny_resnet8_cifar10", "emotion_mini_xception_fer2013"])(
    `%s ${needsShared}`,
    (name) => {
      const { decoded, refused } = fuzz(new Uint8Array(readFileSync(sharedModelFile(name))), 2);
      expect(decoded).toBeGreaterThan(20);
      expect(refused).toBeGreaterThan(100);
    },
  );
});
