/** Where elements tie for a window's maximum, as zeros behind a Relu often do, MaxPool's gradient keeps the total. */
import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { ints } from "../../src/graph/attributes.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { expectClose, runOnnxruntime } from "./check-op.ts";

const total = (t: Tensor) => toNumbers(t).reduce((a, b) => a + b, 0);

describe("MaxPool's gradient with ties", () => {
  for (const [name, kernel, stride] of [
    ["tiles", 2, 2],
    ["overlapping windows", 3, 2],
    ["stride above kernel", 2, 3],
  ] as const)
    it(`conserves the cotangent: ${name}`, async () => {
      const random = createRandom(2);
      const g = new TypedBuilder("ties");
      g.input("x", "float32", [2, 3, 8, 8]);
      const y = g.op("MaxPool", [g.op("Relu", ["x"])], {
        kernel_shape: ints([kernel, kernel]),
        strides: ints([stride, stride]),
      });
      const size = g.shape(y).reduce((a, b) => a * b, 1);
      const cotangent = tensorOf(
        "float32",
        g.shape(y),
        Array.from({ length: size }, () => random.uniform()),
      );
      const all = [0, 1, 2, 3];
      const loss = g.reduceSum(g.mul(y, g.initializer("cotangent", cotangent)), all, false);
      const relu = g.nodes[0]!.outputs[0]!;
      const gradient = appendGradient(g, loss, [relu]).get(relu)!;
      g.output(gradient);
      // Two thirds of the pixels are negative, so many windows hold nothing but zeros.
      const values = Array.from({ length: 2 * 3 * 64 }, () => random.uniform() - 0.67);
      const feeds = new Map([["x", tensorOf("float32", [2, 3, 8, 8], values)]]);
      const engine = (await runOnnxruntime(g.build(), feeds)).get(gradient)!;
      expect(total(engine)).toBeCloseTo(total(cotangent), 4);
      expectClose("the reference", evaluateGraph(g.build(), feeds).get(gradient)!, engine, 1e-6);
    });
});
