/** One-file modules: their size, what they answer, their types, and names that would end a string or a script. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeText, encodeText } from "../../src/bundle/text-bytes.ts";
import { type Preprocessing, withClasses, withPreprocessing } from "../../src/data/index.ts";
import { float, int, ints } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { load, prepareImage, rankClasses } from "../../src/runtime/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { int64s, tensorOf } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { fixtureContext, fixtures } from "../methods/fixtures.ts";
import { answeredPixels, answerInNode, evaluateIn, inFolder, moduleOf, randomImage } from "./run-module.ts";

const zoo = (name: string, settings = {}) => findArchitecture(name).build(settings, createRandom(1));
const preprocessing: Preprocessing = { scale: 1 / 255, mean: [0.4], std: [0.3], channels: "grey" };

/** All that is behind an operator's name, once. */
function everything(): Graph {
  const g = new TypedBuilder("everything");
  const random = createRandom(2);
  const weights = (...shape: number[]) =>
    g.initializer(
      "w",
      tensorOf(
        "float32",
        shape,
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
      ),
    );
  const x = g.input("x", "float32", ["N", 3, 8, 8]);
  const shown = g.op("LRN", [g.op("Sigmoid", [g.op("Conv", [x, weights(4, 3, 3, 3)])])], { size: int(3) });
  const normal = g.op("BatchNormalization", [
    g.op("Relu", [shown]),
    weights(4),
    weights(4),
    weights(4),
    g.initializer("variance", tensorOf("float32", [4], [0.5, 1, 2, 3])),
  ]);
  const turned = g.transpose(g.op("Mul", [normal, weights(1, 1, 6)]), [0, 1, 3, 2]);
  const parts = g.op("Concat", [turned, g.op("AveragePool", [turned], { kernel_shape: ints([1, 1]) })], {
    axis: int(1),
  });
  const flat = g.op("Reshape", [parts, g.initializer("flat", int64s([-1, 288]))]);
  g.output(
    g.op("Softmax", [
      g.op("Gemm", [g.op("Mul", [flat, weights(1)]), weights(288, 5), weights(5)], { alpha: float(0.01) }),
    ]),
  );
  return g.build();
}

describe("text", () => {
  it("holds any bytes, and none that end a string, a line or a script", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = encodeText(bytes);
        expect(decodeText(text, bytes.length)).toEqual(bytes);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(text).not.toMatch(/[\0\n\r\x1a"<\\\x7f\u2028\u2029]/);
      }),
    );
  });

  it("is 14 % longer than the bytes, of whatever kind they are", () => {
    const random = createRandom(1);
    for (const bytes of [
      Uint8Array.from({ length: 70_000 }, () => random.below(256)),
      new Uint8Array(70_000),
      new Uint8Array(70_000).fill(0x45),
    ])
      expect(Buffer.byteLength(encodeText(bytes))).toBeLessThanOrEqual(80_001);
  });
});

describe("a module", () => {
  it("of LeNet-5's shape has at most 25 KB beside its coded weights", async () => {
    const { code, pare } = await moduleOf(
      withPreprocessing(withClasses(zoo("lenet-5"), [..."0123456789"]), preprocessing),
    );
    expect(Buffer.byteLength(code) - Buffer.byteLength(encodeText(pare))).toBeLessThanOrEqual(25 * 1024);
  });

  const paredBy = async (name: string) => {
    const method = findMethod(name);
    return (await method.apply(fixtures.residual!(), method.params.parse({}), fixtureContext())).graph;
  };
  const networks: Readonly<Record<string, () => Graph | Promise<Graph>>> = {
    "every kind of operator": everything,
    "lenet-5": () => zoo("lenet-5"),
    "8-bit integers": () => paredBy("quantize-int8"),
    codebooks: () => paredBy("cluster-weights"),
    "faces-net": () => zoo("faces-net", { width: 8 }),
    "squeezenet-1.0": () => zoo("squeezenet-1.0", { width: 0.25 }),
  };
  it.each(Object.keys(networks))("answers what the runtime does, bit by bit: %s", async (name) => {
    const { code, pare } = await moduleOf(await networks[name]!());
    const network = await load(pare, { variant: "plain" });
    const size = network.inputs[0]!.shape.reduce((a, b) => a * b, 1);
    const expected = network.run(answeredPixels(2 * size));
    const answer = await answerInNode(code, "plain");
    expect(answer.names).toEqual(["classes", "inputs", "outputs", "run", "variant"]);
    expect(answer.values).toEqual(network.outputs.flatMap((output) => [...expected[output.name]!]));
  });

  it("keeps names that would end a string, a comment or a script to itself", async () => {
    const classes = [
      '"',
      "</script><script>alert(1)</script>",
      "\u2028\u2029",
      "*/",
      "\\",
      "`$`",
      "<!--",
      "\n\r\0",
      "8",
      "9",
    ];
    const graph = withPreprocessing(withClasses(zoo("lenet-5"), classes), preprocessing);
    const { code, types, pare, classifies } = await moduleOf({
      ...graph,
      metadata: new Map([...graph.metadata, ["*/</script>", '";</script>\u2028']]),
    });
    expect(classifies).toBe(true);
    for (const ending of ["</script", "<!--", "\u2028", "alert(1)"]) expect(code).not.toContain(ending);
    const image = randomImage(40, 30);
    const network = await load(pare);
    const expected = rankClasses(
      network.run(prepareImage(image, { width: 28, height: 28 }, preprocessing))[network.outputs[0]!.name]!,
      classes,
    );
    const consumer = `import { classify, classes, type ClassName } from "./network.mjs";
const first: ClassName | undefined = classify({ data: [], width: 1, height: 1 })[0]?.name;
// @ts-expect-error: no such class
const none: ClassName = "7";
console.log(first, none, classes);`;
    await inFolder({ "network.mjs": code, "network.d.mts": types, "consumer.mts": consumer }, async (folder) => {
      const given = `[module.classes, module.classify(${JSON.stringify(image)})]`;
      expect(await evaluateIn(folder, given)).toEqual([classes, JSON.parse(JSON.stringify(expected))]);
      const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
      const flags = ["--noEmit", "--strict", "--module", "nodenext", "--types", "", join(folder, "consumer.mts")];
      await promisify(execFile)(tsc, flags, { cwd: folder }).catch(({ stdout }) => expect(stdout).toBe(""));
    });
  });
});
