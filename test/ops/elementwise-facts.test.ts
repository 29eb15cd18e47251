/** How facts and channels run through elementwise operators and reductions. */
import { describe, expect, it } from "vitest";
import { type Attributes, int, ints } from "../../src/graph/attributes.ts";
import type { Dim, Node } from "../../src/graph/graph.ts";
import type { AxisRef, ChannelLinks } from "../../src/ops/channels.ts";
import { constantFact, type Fact, fact } from "../../src/ops/fact.ts";
import { findOp } from "../../src/ops/registry.ts";
import { elementTypeOf } from "../../src/tensor/element-type.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { stridesOf } from "../../src/tensor/shape.ts";
import { int64s, type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

function nodeOf(op: string, inputs: readonly unknown[], attributes: Attributes = {}, outputs = 1): Node {
  return {
    name: "n",
    op,
    domain: "",
    inputs: inputs.map((input, i) => (input === undefined ? "" : `x${i}`)),
    outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
    attributes,
  };
}

function operatorOf(op: string) {
  const operator = findOp({ op, domain: "" });
  if (operator === undefined) throw new Error(`operator ${op} is not in the registry`);
  return operator;
}

const infer = (op: string, inputs: readonly (Fact | undefined)[], attributes: Attributes = {}) =>
  operatorOf(op).infer(nodeOf(op, inputs, attributes), inputs);

const sizes = (...dims: Dim[]): Fact => ({ dtype: "int64", shape: [dims.length], dims });
const size = (dim: Dim): Fact => ({ dtype: "int64", shape: [], dims: [dim] });
const known = (...values: number[]) => constantFact(int64s(values));

describe("shape arithmetic", () => {
  it.each<[string, Fact, Fact, readonly Dim[]]>([
    ["Add", sizes("N", 3), known(0, 4), ["N", 7]],
    ["Add", known(0), size("N"), ["N"]],
    ["Sub", sizes("N", 3), known(0), ["N", 3]],
    ["Sub", known(0), sizes("N", 3), ["?", -3]],
    ["Mul", sizes("N", 3, 4), known(1, 2, 2), ["N", 6, 8]],
    ["Mul", known(1), sizes("N", 3), ["N", 3]],
    ["Mul", sizes("N", 3), known(2), ["?", 6]],
    ["Div", sizes("N", 7), known(1, 2), ["N", 3]],
    ["Div", known(1), size("N"), ["?"]],
  ])("%s keeps what it can of dynamic dimensions", (op, a, b, dims) => {
    expect(infer(op, [a, b])[0]?.dims).toEqual(dims);
  });

  it("Cast and Identity carry sizes, and a cast to float does not", () => {
    const to = (dtype: "int32" | "float32") => ({ to: int(elementTypeOf(dtype)) });
    expect(infer("Cast", [sizes("N", 3)], to("int32"))).toEqual([{ dtype: "int32", shape: [2], dims: ["N", 3] }]);
    expect(infer("Cast", [sizes("N", 3)], to("float32"))).toEqual([{ dtype: "float32", shape: [2] }]);
    expect(infer("Identity", [sizes("N", 3)])[0]?.dims).toEqual(["N", 3]);
  });
});

describe("dynamic shapes", () => {
  const x = fact("float32", ["N", 3, "H", "W"]);
  it.each<[string, readonly (Fact | undefined)[], Attributes, readonly Dim[] | undefined]>([
    ["Add", [x, fact("float32", [3, 1, 1])], {}, ["N", 3, "H", "W"]],
    ["Mul", [x, fact("float32", ["N", 3, 1, 1])], {}, ["N", 3, "H", "W"]],
    ["Clip", [x, undefined, constantFact(tensorOf("float32", [], [6]))], {}, ["N", 3, "H", "W"]],
    ["Greater", [x, fact("float32", [])], {}, ["N", 3, "H", "W"]],
    ["ReduceMean", [x], { axes: ints([-1, 2]), keepdims: int(0) }, ["N", 3]],
    ["ReduceSum", [x, known(2, 3)], {}, ["N", 3, 1, 1]],
    ["ReduceSum", [x, fact("int64", [2])], {}, ["?", "?", "?", "?"]],
    ["ReduceSum", [x, fact("int64", [2])], { keepdims: int(0) }, undefined],
    ["ArgMax", [x], { axis: int(1), keepdims: int(0) }, ["N", "H", "W"]],
    ["Softmax", [x], { axis: int(1) }, ["N", 3, "H", "W"]],
    ["QuantizeLinear", [x, fact("float32", [])], {}, ["N", 3, "H", "W"]],
  ])("%s infers through them", (op, inputs, attributes, shape) => {
    expect(infer(op, inputs, attributes)[0]?.shape).toEqual(shape);
  });
});

/** The axes of the inputs that are tied to each axis of output 0, and the axes that are free. */
function linksOf(op: string, inputs: readonly Fact[], attributes: Attributes) {
  const node = nodeOf(op, inputs, attributes);
  const outputs = operatorOf(op).infer(node, inputs).slice(0, 1);
  const tied = new Map<number, AxisRef[]>();
  const free: string[] = [];
  const links: ChannelLinks = {
    tie(p, q, map) {
      if (p.side !== "I" || q.side !== "O" || q.index !== 0 || map) throw new Error("not a plain tie");
      tied.set(q.axis, [...(tied.get(q.axis) ?? []), p]);
    },
    free: ({ index, axis }) => free.push(`${index}.${axis}`),
    pin: () => {},
  };
  operatorOf(op).link?.(node, inputs, outputs, links);
  return { node, outputs, tied, free };
}

/** `t` without its first slot on `axis`. */
function dropFirst(t: Tensor, axis: number): Tensor {
  const stride = stridesOf(t.shape)[axis]!;
  const values = toNumbers(t).filter((_, i) => Math.floor(i / stride) % t.shape[axis]! > 0);
  return tensorOf(
    t.dtype,
    t.shape.map((dim, i) => (i === axis ? dim - 1 : dim)),
    values,
  );
}

describe("channels", () => {
  const random = createRandom(3);
  const draw = (...shape: number[]) =>
    tensorOf(
      "float32",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.abs(random.normal()) + 0.1),
    );
  const zeroPoints = tensorOf("uint8", [3], [1, 2, 3]);
  const truth = tensorOf("bool", [3, 1], [1, 0, 1]);
  it.each<[string, readonly Tensor[], Attributes, readonly number[], readonly string[]]>([
    ["Relu", [draw(2, 3)], {}, [0, 1], []],
    ["Add", [draw(2, 3, 4), draw(3, 1)], {}, [0, 1, 2], []],
    ["PRelu", [draw(2, 3, 4), draw(3, 1)], {}, [0, 1, 2], []],
    ["Where", [truth, draw(2, 3, 4), draw(4)], {}, [0, 1, 2], []],
    ["Clip", [draw(2, 3), tensorOf("float32", [], [0.5])], {}, [0, 1], []],
    ["Max", [draw(2, 3), draw(3), draw(2, 1)], {}, [0, 1], []],
    ["Dropout", [draw(2, 3)], {}, [0, 1], []],
    ["Softmax", [draw(2, 3, 4)], { axis: int(1) }, [0, 2], []],
    ["ReduceMean", [draw(2, 3, 4, 5)], { axes: ints([2, 3]) }, [0, 1], []],
    ["ReduceSum", [draw(2, 3, 4, 5), int64s([1, 3])], { keepdims: int(0) }, [0, 1], ["0.1", "0.3"]],
    ["ReduceL2", [draw(2, 3, 4)], { axes: ints([1]), keepdims: int(0) }, [0, 1], ["0.1"]],
    ["ArgMax", [draw(2, 3, 4)], { axis: int(1), keepdims: int(0) }, [0, 1], []],
    ["QuantizeLinear", [draw(2, 3, 4), draw(3), zeroPoints], {}, [0, 1, 2], []],
    ["DequantizeLinear", [zeroPoints, draw(3)], { axis: int(0) }, [0], []],
  ])("%s on fewer slots gives the same slots", (op, inputs, attributes, axes, free) => {
    const links = linksOf(op, inputs.map(constantFact), attributes);
    expect([...links.tied.keys()].sort()).toEqual(axes);
    expect(links.free).toEqual(free);
    const whole = operatorOf(op).evaluate(links.node, inputs)[0]!;
    for (const [axis, refs] of links.tied) {
      if (whole.shape[axis] === 1) continue;
      const fewer = inputs.map((input, index) =>
        refs.filter((ref) => ref.index === index).reduce((t, ref) => dropFirst(t, ref.axis), input),
      );
      expect(operatorOf(op).evaluate(links.node, fewer)[0]).toEqual(dropFirst(whole, axis));
    }
  });
});

describe("refusals", () => {
  const messageOf = (f: () => unknown) => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing thrown";
  };
  it("a dropout that draws its own mask is refused", () => {
    const x = tensorOf("float32", [2], [1, 2]);
    const inputs = [x, tensorOf("float32", [], [0.5]), tensorOf("bool", [], [1])];
    expect(messageOf(() => operatorOf("Dropout").evaluate(nodeOf("Dropout", inputs), inputs))).toContain("random mask");
  });
  it("shapes that do not broadcast are named", () => {
    expect(messageOf(() => infer("Add", [fact("float32", [2, 3]), fact("float32", [4])]))).toContain("[2,3] and [4]");
  });
  it("an axis out of range is named", () => {
    expect(messageOf(() => infer("ReduceMax", [fact("float32", [2, 3])], { axes: ints([2]) }))).toContain("axis 2");
  });
  it("a cast to a type that is not computed with is named", () => {
    expect(messageOf(() => infer("Cast", [fact("float32", [2])], { to: int(17) }))).toContain("17");
  });
});
