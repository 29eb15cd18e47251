import { describe, expect, it } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { foldBias, runPass, simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";
import { expectSameOutputs } from "./same-outputs.ts";

const random = createRandom(5);
function normal(...shape: number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorOf(
    "float32",
    shape,
    Array.from({ length: size }, () => random.normal()),
  );
}
const ops = (graph: Graph) => graph.nodes.map((node) => node.op);

interface Case {
  readonly op: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly bias?: number;
  readonly added: readonly number[];
  readonly transB?: boolean;
  readonly constantFirst?: boolean;
}

function net({ op, x, w, bias, added, transB, constantFirst }: Case, write?: (g: TypedBuilder, y: string) => void) {
  const g = new TypedBuilder("net");
  const inputs = [g.input("x", "float32", x), g.initializer("w", normal(...w))];
  if (bias) inputs.push(g.initializer("b", normal(bias)));
  const y = g.op(op, inputs, transB ? { transB: int(1) } : {});
  const c = g.initializer("c", normal(...added));
  g.output(constantFirst ? g.add(c, y) : g.add(y, c));
  write?.(g, y);
  return g.build();
}

const conv: Case = { op: "Conv", x: [2, 3, 4, 5], w: [4, 3, 3, 3], added: [4, 1, 1] };

describe("fold-bias", () => {
  const cases: readonly Case[] = [
    conv,
    { ...conv, bias: 4, added: [1, 4, 1, 1], constantFirst: true },
    { ...conv, added: [] },
    { op: "ConvTranspose", x: [2, 3, 4, 4], w: [3, 5, 2, 2], added: [5, 1, 1] },
    { op: "Gemm", x: [3, 4], w: [5, 4], bias: 5, added: [5], transB: true },
    { op: "Gemm", x: [3, 4], w: [4, 5], added: [1, 5] },
    { op: "MatMul", x: [3, 4], w: [4, 5], added: [5] },
  ];
  for (const given of cases)
    it(`takes [${given.added}] into ${given.op}${given.bias ? " with a bias" : ""}`, () => {
      const graph = net(given);
      const folded = runPass(foldBias, graph).graph;
      expect(ops(folded)).toEqual([given.op === "MatMul" ? "Gemm" : given.op]);
      expectSameOutputs(graph, folded);
      expect(runPass(foldBias, folded).graph).toBe(folded);
    });

  const refused: readonly [string, Graph][] = [
    ["a constant that varies over columns", net({ ...conv, added: [3] })],
    ["a constant with a row for each sample", net({ op: "Gemm", x: [3, 4], w: [4, 5], added: [3, 5] })],
    ["a product of stacked matrices", net({ op: "MatMul", x: [2, 3, 4], w: [4, 5], added: [5] })],
    ["a value that is read elsewhere", net(conv, (g, y) => g.output(g.op("Relu", [y])))],
    ["a value that is an output", net(conv, (g, y) => g.output(y))],
  ];
  for (const [what, graph] of refused)
    it(`leaves ${what}`, () => {
      expect(runPass(foldBias, graph).graph).toBe(graph);
    });

  it.skipIf(!haveSharedModels)(`leaves no Add in mnist-8 ${needsShared}`, async () => {
    expect(ops(simplify(await sharedModel("mnist-8")).graph)).toEqual([
      "Conv",
      "Relu",
      "MaxPool",
      "Conv",
      "Relu",
      "MaxPool",
      "Reshape",
      "Gemm",
    ]);
  });
});
