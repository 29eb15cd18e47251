/** StraightThrough: the value of one input, the gradient of the other, and a file that any engine runs. */
import { expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { openSession } from "../../src/engine/session.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

/** `y = round(x)` trained through, and the gradient of `Σ y²`. */
function rounding() {
  const g = new TypedBuilder("rounding");
  const x = g.input("x", "float32", [4]);
  const [y] = g.node("StraightThrough", [x, g.op("Round", [x])], 1, {}, { domain: "netpare" }) as [string];
  const loss = g.reduceSum(g.mul(y, y), [0], false);
  const gradient = appendGradient(g, loss, [x]).get(x)!;
  g.output(y);
  g.output(gradient);
  return { graph: g.build(), y, gradient };
}

const feeds = new Map([["x", tensorOf("float32", [4], [0.4, 1.6, -2.7, 0])]]);

it("has the value of its second input and hands its gradient to the first", async () => {
  const { graph, y, gradient } = rounding();
  const session = await openSession(graph);
  const runs = [evaluateGraph(graph, feeds), await session.run(feeds)];
  await session.release();
  for (const results of runs) {
    expect([...toNumbers(results.get(y)!)].map((value) => value + 0)).toEqual([0, 2, -3, 0]);
    expect([...toNumbers(results.get(gradient)!)].map((value) => value + 0)).toEqual([0, 4, -6, 0]);
  }
});

it("leaves functions of that domain that it does not know in the file", () => {
  const bytes = encodeModel(rounding().graph);
  const name = Buffer.from("StraightThrough");
  const other = Buffer.from(bytes);
  for (let at = other.indexOf(name); at >= 0; at = other.indexOf(name, at)) other.write("LaterThanStraig", at);
  const count = (file: Uint8Array) => Buffer.from(file).toString("latin1").split("LaterThanStraig").length - 1;
  expect(count(other)).toBe(2);
  expect(count(encodeModel(decodeModel(new Uint8Array(other))))).toBe(2);
});

it("is written as a function, once, however often the file is read and written", () => {
  const once = encodeModel(rounding().graph);
  expect(encodeModel(decodeModel(once))).toEqual(once);
  expect(decodeModel(once).nodes.map(({ domain, op }) => `${domain}.${op}`)).toContain("netpare.StraightThrough");
});
