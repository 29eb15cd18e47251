/** `.pare` files: exact round trips, sizes against the entropy, and what damaged or hostile bytes get. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checksum } from "../../src/format/_checksum.ts";
import { codeTensor } from "../../src/format/code-tensor.ts";
import type { HashedTensor } from "../../src/format/from-graph.ts";
import { headBytes, version } from "../../src/format/program.ts";
import { readPare } from "../../src/format/read-pare.ts";
import { graphOf } from "../../src/format/to-graph.ts";
import { writePare, writeProgram } from "../../src/format/write.ts";
import { string } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { simplify } from "../../src/passes/index.ts";
import { makeHashed } from "../../src/runtime/make-hashed.ts";
import type { DType } from "../../src/tensor/dtype.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { fromFloat16, toFloat16 } from "../../src/tensor/half.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { int64s, type Tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { haveSharedModels, needsShared, sharedModelFile } from "../shared-models.ts";

const bytesOf = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** A graph of one Add that has `constant` as its second input. */
function holding(constant: Tensor): Graph {
  const g = new TypedBuilder("one");
  const x = g.input("x", constant.dtype, constant.shape);
  g.output(g.op("Add", [x, g.initializer("c", constant)]));
  return g.build();
}

function roundTrip(constant: Tensor) {
  const program = readPare(writePare(holding(constant)));
  const [read] = [...program.tensors.values()];
  expect(read!.dtype).toBe(constant.dtype);
  expect(read!.shape).toEqual(constant.shape);
  expect(bytesOf({ ...constant, data: read!.decode() } as Tensor).equals(bytesOf(constant))).toBe(true);
  return read!;
}

const random = createRandom(7);
const normals = (count: number) => Array.from({ length: count }, () => random.normal());
const weights = (values: readonly number[], shape = [8, values.length / 8]) => tensorOf("float32", shape, values);

describe("constants", () => {
  it.each<[string, Tensor, string]>([
    ["float32 weights", weights(normals(4096)), "raw"],
    ["numbers of binary16", weights(normals(4096).map((x) => fromFloat16(toFloat16(x)))), "float16"],
    ["a codebook", weights(normals(4096).map((x) => Math.fround(Math.round(x * 3) / 7))), "symbols"],
    [
      "multiples of a step",
      weights(normals(4096).map((x) => Math.fround(Math.round(5 * x) * Math.fround(0.0371)))),
      "symbols",
    ],
    [
      "more multiples than a table holds",
      weights(normals(4096).map((x) => Math.fround((Math.round(300 * x) || 1) * Math.fround(0.0371)))),
      "steps",
    ],
    ["zeros among float32", weights(normals(4096).map((x) => (Math.abs(x) < 1.6 ? 0 : x))), "sparse"],
    [
      "one magnitude a row",
      weights(normals(4096).map((x, i) => Math.sign(x) * Math.fround(1.1 + Math.floor(i / 512)))),
      "symbols",
    ],
    [
      "8-bit integers",
      tensorOf(
        "int8",
        [16, 512],
        normals(8192).map((x) => Math.round(20 * x)),
      ),
      "symbols",
    ],
    ["-0, infinities", weights([0, -0, Number.POSITIVE_INFINITY, -1.5, 0, -0, 2, 0]), "symbols"],
    ["a shape", int64s([1, -1, 512, 7]), "raw"],
    ["nothing", tensorOf("float32", [0, 3], []), "raw"],
    ["a scalar", tensorOf("float32", [], [3.25]), "float16"],
  ])("%s", (_, constant, form) => {
    const { content } = roundTrip(constant);
    if (constant.data.length > 100) expect(content.form).toBe(form);
  });

  it("keeps the bits of NaN", () => {
    const data = new Float32Array(Uint32Array.of(0x7fc00001, 0x7fc00002, 0xffc00000, 0x3f800000).buffer);
    roundTrip({ dtype: "float32", shape: [4], data });
  });

  it.each<DType>(["float64", "int32", "int64", "uint8", "bool", "uint32"])("of type %s", (dtype) => {
    roundTrip(
      tensorOf(
        dtype,
        [5, 7],
        normals(35).map((x) => (dtype === "float64" ? x : Math.abs(Math.round(3 * x)))),
      ),
    );
  });

  it("takes little more than the entropy of its symbols", () => {
    const share = [0.9, 0.05, 0.03, 0.02];
    const symbols = Array.from({ length: 65536 }, () => {
      const at = random.uniform();
      return share.findIndex((_, i) => at < share.slice(0, i + 1).reduce((sum, p) => sum + p));
    });
    const bits = share.reduce((sum, p) => sum - p * Math.log2(p), 0) * symbols.length;
    const { record, streams } = codeTensor(weights(symbols.map((s) => Math.fround([0, 0.11, -0.13, 0.2][s]!))));
    expect(record.length + streams.length).toBeLessThan((1.02 * bits) / 8 + 64);
  });
});

describe("whole networks", () => {
  const small = (name: string, settings = {}) =>
    simplify(findArchitecture(name).build(settings, createRandom(1))).graph;

  it("come back as the graphs they were, smaller than their .onnx", () => {
    for (const name of ["resnet-8", "densenet", "squeezenet-1.1", "pvanet"]) {
      const graph = small(
        name,
        name === "resnet-8" ? { width: 4 } : name === "densenet" ? { growth: 4 } : { width: 0.25 },
      );
      const file = writePare(graph);
      expect(file.length, name).toBeLessThanOrEqual(encodeModel(graph).length);
      const back = graphOf(readPare(file));
      expect(back.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
      expect(back.inputs).toEqual(graph.inputs);
      expect(back.metadata).toEqual(graph.metadata);
      expect(writePare(back)).toEqual(file);
    }
  });

  it.skipIf(!haveSharedModels).each(["cifar10_resnet32", "mnist-8"])(`%s, too ${needsShared}`, (name) => {
    const bytes = readFileSync(sharedModelFile(name));
    const file = writePare(simplify(decodeModel(bytes)).graph);
    expect(file.length).toBeLessThanOrEqual(bytes.length);
    expect(writePare(graphOf(readPare(file)))).toEqual(file);
  });

  it("are refused where a value's shape does not follow from the batch", () => {
    const g = new TypedBuilder("dynamic");
    g.output(g.op("Relu", [g.input("x", "float32", ["N", 3, "H", "W"])]));
    expect(() => writePare(g.build())).toThrow(/'x' does not follow from the batch/);
  });

  it("keep texts of every kind", () => {
    const g = new TypedBuilder("texts");
    g.metadata.set("netpare.labels", "Ärger, 喜び");
    const x = g.input("bild", "float32", ["N", 2, 4, 4]);
    g.output(g.op("Pad", [x, g.initializer("pads", int64s([0, 0, 1, 1, 0, 0, 1, 1]))], { mode: string("reflect") }));
    const back = graphOf(readPare(writePare(g.build())));
    expect(back.metadata.get("netpare.labels")).toBe("Ärger, 喜び");
    expect(back.nodes[0]!.attributes).toEqual({ mode: string("reflect") });
    expect(back.inputs[0]).toEqual({ name: "bild", dtype: "float32", shape: ["N", 2, 4, 4] });
  });

  describe("that are damaged", () => {
    const file = writePare(small("resnet-8", { width: 2 }));
    const expectRefused = (bytes: Uint8Array) => {
      try {
        for (const { decode } of readPare(bytes, { decodedBytes: 1 << 22 }).tensors.values()) decode();
      } catch (error) {
        expect(error).toBeInstanceOf(NetpareError);
        return true;
      }
      return false;
    };

    it("are told by their checksum, wherever the damage is", () => {
      for (let i = 0; i < 400; i++) {
        const bytes = file.slice();
        bytes[Math.floor(random.uniform() * bytes.length)]! ^= 1 << Math.floor(8 * random.uniform());
        expect(expectRefused(bytes)).toBe(true);
        expect(expectRefused(file.subarray(0, Math.floor(random.uniform() * file.length)))).toBe(true);
      }
    });

    it("give an error or a result even where the checksum was made to hold", () => {
      const other = writePare(
        holding(weights(normals(4096).map((x) => (Math.abs(x) < 1.6 ? 0 : Math.round(x * 8) / 8)))),
      );
      const fine = writePare(holding(weights(normals(4096).map((x) => Math.round(300 * x) / 4096))));
      const files = [file, other, fine];
      let refused = 0;
      for (let i = 0; i < 3000; i++) {
        const end = random.below(3) ? undefined : 50 + random.below(3000);
        const bytes = files[i % files.length]!.slice(0, end);
        const at = headBytes + Math.floor(random.uniform() * Math.min(bytes.length - headBytes, 600));
        bytes[at] = Math.floor(256 * random.uniform());
        new DataView(bytes.buffer).setUint32(4, checksum(bytes.subarray(headBytes)), true);
        if (expectRefused(bytes)) refused++;
      }
      expect(refused).toBeGreaterThan(1000);
    });

    it("have a checksum of the published values", () => {
      const sums = ["", "a", "abc", "Nobody inspects the spammish repetition"].map((text) =>
        checksum(new TextEncoder().encode(text)),
      );
      expect(sums).toEqual([0x02cc5d05, 0x550d7456, 0x32d153ff, 0xe2293b2f]);
    });

    it("say that a later version wrote them, and that they are none", () => {
      const later = file.slice();
      later[headBytes] = version + 1;
      expect(() => readPare(later)).toThrow(/version is 2, this reader knows version 1/);
      expect(() => readPare(Uint8Array.of(1, 2, 3))).toThrow(/does not begin with PARE/);
      expect(() => readPare(new Uint8Array())).toThrow(/does not begin with PARE/);
    });

    it("are refused where a hash has no values, or none of the types and sizes that it makes", () => {
      const given = {
        shape: [4, 3, 3],
        counts: [2, 3, 4],
        seed: 5,
        isFrequency: true,
        values: weights(normals(9), [9]),
      };
      const fileOf = (changes: Partial<HashedTensor>, dtype: DType = "float32") => {
        const hashed = { ...given, ...changes };
        const value = { dtype, dims: hashed.shape.map((size) => ({ size, perImage: false })) };
        const rest = { metadata: new Map(), opset: 17, inputs: [], outputs: [], nodes: [] };
        return writeProgram({ ...rest, values: [value], tensors: new Map([[0, hashed]]) });
      };
      const elements = (file: Uint8Array) => [...makeHashed(readPare(file))!.tensors.values()][0]!.decode();
      expect(elements(fileOf({}))).toHaveLength(36);
      const refused: readonly (readonly [Partial<HashedTensor>, DType?])[] = [
        [{ counts: [] }],
        [{ counts: [9, 0] }],
        [{ seed: 2 ** 32 }],
        [{}, "int32"],
        [{ shape: [36] }],
        [{ shape: [1, 4, 9] }],
      ];
      for (const [changes, dtype] of refused) expect(() => readPare(fileOf(changes, dtype))).toThrow(/by a hash/);
      expect(() => readPare(fileOf({ counts: [2 ** 40] }))).toThrow(/larger than the limit/);
      expect(() => readPare(fileOf({ shape: [2 ** 30, 3, 3] }))).toThrow(/larger than the limit/);
      expect(() => readPare(fileOf({ counts: [10] }))).toThrow(NetpareError);
    });

    it("are refused before memory is taken where they would decode to more than the limit", () => {
      expect(() => readPare(file, { decodedBytes: 1000 })).toThrow(/larger than the limit/);
    });
  });
});
