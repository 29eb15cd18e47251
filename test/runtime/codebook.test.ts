/** Layers of codebooks in the runtime: what onnxruntime makes of the same values, in the memory of their indices. */
import { describe, expect, it } from "vitest";
import { openSession } from "../../src/engine/session.ts";
import type { CodedTensor, Program, ProgramNode, SymbolContent } from "../../src/format/read.ts";
import { readPare } from "../../src/format/read-pare.ts";
import { writePare } from "../../src/format/write.ts";
import { float, int, ints } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { Build, type Operand } from "../../src/runtime/build.ts";
import { chooseVariant, compileKernels } from "../../src/runtime/kernels/index.ts";
import { load } from "../../src/runtime/load.ts";
import { forms, operators } from "../../src/runtime/operators/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

const variants = [...new Set(["plain" as const, chooseVariant()])];
const random = createRandom(12);

function network(shape: readonly number[], body: (g: TypedBuilder, x: string) => string): Graph {
  const g = new TypedBuilder("net");
  g.output(body(g, g.input("x", "float32", ["N", ...shape])));
  return g.build();
}

/** Weights of `count` values, each of which is there. */
function shared(g: TypedBuilder, shape: readonly number[], count: number): string {
  const size = shape.reduce((a, b) => a * b, 1);
  const table = Array.from({ length: count }, () => random.normal() / 5);
  return g.initializer(
    "w",
    tensorOf(
      "float32",
      shape,
      Array.from({ length: size }, (_, i) => table[i < count ? i : random.below(count)]!),
    ),
  );
}

const plain = (g: TypedBuilder, ...shape: number[]) =>
  g.initializer(
    "b",
    tensorOf(
      "float32",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    ),
  );

function buildOf(file: Uint8Array): Build {
  const program = readPare(file);
  const build = new Build(program, undefined, forms);
  for (const node of program.nodes) if (!build.fused.has(node)) operators.get(node.op)!(build, node);
  return build;
}

/** The kernels that a file's layers run in. */
const kernelsOf = (file: Uint8Array) =>
  new Set(buildOf(file).steps.flatMap((step) => ("kernel" in step ? [step.kernel] : [])));

async function check(graph: Graph): Promise<Set<string>> {
  const [input] = graph.inputs as [Graph["inputs"][number]];
  const shape = input.shape!.slice(1) as number[];
  const pixels = Float32Array.from({ length: 2 * shape.reduce((a, b) => a * b, 1) }, () => random.normal());
  const session = await openSession(graph);
  const expected = await session.run(new Map([[input.name, tensorOf("float32", [2, ...shape], pixels)]]));
  await session.release();
  const [[name, result]] = [...expected] as [[string, Tensor]];
  const want = toNumbers(result);
  const scale = Math.max(...want.map(Math.abs));
  const file = writePare(graph);
  for (const variant of variants) {
    const loaded = await load(file, { variant });
    for (const turn of ["first", "second"]) {
      const got = loaded.run(pixels)[name]!;
      const worst = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
      expect(worst / scale, `${variant}, ${turn} run`).toBeLessThan(1e-5);
    }
  }
  return kernelsOf(file);
}

describe("convolutions", () => {
  const pads = ints([1, 1, 1, 1]);
  it.each([16, 9, 200])("of %d values", async (values) => {
    const graph = network([7, 13, 11], (g, x) =>
      g.op("Relu", [g.op("Conv", [x, shared(g, [13, 7, 3, 3], values), plain(g, 13)], { pads })]),
    );
    expect(await check(graph)).toContain("decode");
  });

  it("of more inputs than are decoded at once, with a residual sum and bounds", async () => {
    const graph = network([120, 8, 8], (g, x) => {
      const y = g.op("Conv", [x, shared(g, [120, 120, 3, 3], 16), plain(g, 120)], { pads });
      const bounds = [-2, 3].map((bound) => g.initializer("bound", tensorOf("float32", [], [bound])));
      return g.op("Clip", [g.add(x, y), ...bounds]);
    });
    const kernels = await check(graph);
    expect([...kernels].toSorted()).toEqual(["conv", "decode", "pairs", "spread"]);
  });

  it("in groups, strided", async () => {
    const graph = network([12, 17, 16], (g, x) =>
      g.op("Conv", [x, shared(g, [20, 6, 3, 3], 16)], { group: int(2), pads, strides: ints([2, 2]) }),
    );
    expect(await check(graph)).toContain("decode");
  });

  it("are decoded at load where maps are small, weights few or mostly zero", async () => {
    const small = network([16, 4, 4], (g, x) => g.op("Conv", [x, shared(g, [16, 16, 3, 3], 16)], { pads }));
    expect(await check(small)).not.toContain("decode");
    const few = network([2, 20, 20], (g, x) => g.op("Conv", [x, shared(g, [8, 2, 3, 3], 16)], { pads }));
    expect(await check(few)).not.toContain("decode");
    const sparse = network([16, 20, 20], (g, x) => {
      const w = shared(g, [16, 16, 3, 3], 15);
      const { shape, data } = g.initializers.get(w)!;
      const thinned = toNumbers(tensorOf("float32", shape, data as Float32Array)).map((v, i) => (i % 5 ? 0 : v));
      return g.op("Conv", [x, g.initializer("thin", tensorOf("float32", shape, thinned))], { pads });
    });
    expect([...(await check(sparse))].toSorted()).toEqual(["sparseConv", "spread"]);
  });
});

describe("dense layers", () => {
  interface Dense {
    readonly node: Pick<ProgramNode, "op" | "attributes">;
    /** `(N, K)`, and the weight's shape. */
    readonly x: readonly [number, number];
    readonly shape: readonly [number, number];
    readonly outputs: number;
    readonly bias?: Float32Array<ArrayBuffer>;
    readonly content: SymbolContent;
  }

  /** Runs one layer of a program that no file holds, because files of so many weights take long to write. */
  async function runDense({ node, x, shape, outputs, bias, content }: Dense) {
    const symbols = content.symbols();
    const scaleOf = (i: number) => content.scales?.[Math.floor(i / shape[1])] ?? 1;
    const weights = Float32Array.from(symbols, (s, i) => content.table[s]! * scaleOf(i));
    const held = { dtype: "float32" as const, storedBytes: 0 };
    const dims = (...sizes: readonly number[]) => ({
      dtype: "float32" as const,
      dims: sizes.map((size) => ({ size, perImage: false })),
    });
    const program: Program = {
      metadata: new Map(),
      opset: 17,
      values: [dims(...x), dims(...shape), dims(outputs), dims(x[0], outputs)],
      inputs: [{ name: "x", value: 0 }],
      outputs: [{ name: "y", value: 3 }],
      nodes: [{ ...node, domain: "", inputs: bias ? [0, 1, 2] : [0, 1], outputs: [3] }],
      tensors: new Map<number, CodedTensor>([
        [1, { ...held, shape, content, decode: () => weights }],
        [
          2,
          {
            ...held,
            shape: [outputs],
            content: { form: "raw", bytes: new Uint8Array((bias ?? new Float32Array(outputs)).buffer) },
            decode: () => bias ?? new Float32Array(outputs),
          },
        ],
      ]),
    };
    const build = new Build(program, undefined, forms);
    operators.get(node.op)!(build, program.nodes[0]!);
    const input = Float32Array.from({ length: x[0] * x[1] }, () => random.normal());
    const [from, to] = [build.place(0), build.place(3)];
    const memory = new WebAssembly.Memory({ initial: Math.ceil(build.layOut().bytes / 65536) });
    const names = build.steps.map((step) => ("kernel" in step ? step.kernel : "unary"));
    const kernels = await compileKernels([...names, "pack" as const], memory);
    build.fill(new Uint8Array(memory.buffer), kernels);
    new Float32Array(memory.buffer).set(input, from.region.address / 4);
    const address = (at: Operand) => (typeof at === "number" ? at : at.region.address + at.offset);
    for (const [i, step] of build.steps.entries()) kernels[names[i]!](...step.operands.map(address));
    return { names, weights, input, y: new Float32Array(memory.buffer, to.region.address, x[0] * outputs) };
  }

  const bookOf = (rows: number, row: number, values: number, hasScales = false): SymbolContent => {
    const symbols = Uint8Array.from({ length: rows * row }, () => random.below(values));
    const scales = hasScales ? Float32Array.from({ length: rows }, () => 0.5 + random.uniform()) : undefined;
    const table = Array.from({ length: values }, () => Math.fround(random.normal() / 20));
    return { form: "symbols", table, scales, coder: "packed", symbols: () => symbols };
  };

  it.each([
    [16, true, 1030],
    [16, false, 1031],
    [200, true, 4200],
  ])("of %d values, scales %s, of outputs in rows, with factors and a bias", async (values, hasScales, count) => {
    const outputs = 1021;
    const bias = Float32Array.from({ length: outputs }, () => random.normal());
    const { names, weights, input, y } = await runDense({
      node: { op: "Gemm", attributes: { transB: int(1), alpha: float(0.5), beta: float(2) } },
      x: [1, count],
      shape: [outputs, count],
      outputs,
      bias,
      content: bookOf(outputs, count, values, hasScales),
    });
    expect(names.at(-1)).toBe("codebookGemm");
    let worst = 0;
    for (const [o, got] of y.entries()) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += input[k]! * weights[o * count + k]!;
      worst = Math.max(worst, Math.abs(got - (2 * bias[o]! + 0.5 * sum)));
    }
    expect(worst).toBeLessThan(1e-4);
  });

  it("of outputs in columns, a row at a time", async () => {
    const [rows, count, outputs] = [3, 1030, 1024];
    const node = { op: "MatMul", attributes: {} };
    const content = bookOf(count, outputs, 16);
    const layer: Dense = { node, x: [rows, count], shape: [count, outputs], outputs, content };
    const { names, weights, input, y } = await runDense(layer);
    expect(names).toEqual(["pairs", "codebookGemm", "codebookGemm", "codebookGemm"]);
    let worst = 0;
    for (const [i, got] of y.entries()) {
      const [row, o] = [Math.floor(i / outputs), i % outputs];
      let sum = 0;
      for (let k = 0; k < count; k++) sum += input[row * count + k]! * weights[k * outputs + o]!;
      worst = Math.max(worst, Math.abs(got - sum));
    }
    expect(worst).toBeLessThan(1e-4);
  });

  it.each([
    [64, false],
    [1024, true],
  ])("of %d by as many weights, scaled by inputs: %s, are decoded", async (size, hasScales) => {
    const node = { op: "MatMul", attributes: {} };
    const content = bookOf(size, size, 16, hasScales);
    const { names } = await runDense({ node, x: [1, size], shape: [size, size], outputs: size, content });
    expect(names).toEqual(["gemm"]);
  });
});

it("takes an eighth of the memory for weights of 4 bits, a quarter for 8", () => {
  const weightBytes = (values: number) => {
    const graph = network([64, 16, 16], (g, x) =>
      g.op("Conv", [x, shared(g, [64, 64, 3, 3], values)], { pads: ints([1, 1, 1, 1]) }),
    );
    const build = buildOf(writePare(graph));
    const { bytes, arenaBytes } = build.layOut();
    return bytes - arenaBytes;
  };
  const decoded = 4 * 64 * 64 * 9;
  const [four, eight, dense] = [weightBytes(16), weightBytes(256), weightBytes(5000)];
  // The window's offsets, biases, scales and the table.
  const beside = 4 * 64 * 9 + 1024 + 1024;
  expect(dense).toBeGreaterThan(decoded);
  expect(four).toBeLessThan(decoded / 8 + beside);
  expect(eight).toBeLessThan(decoded / 4 + beside);
});
