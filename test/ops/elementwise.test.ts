import { float, int } from "../../src/graph/attributes.ts";
import { elementTypeOf } from "../../src/tensor/element-type.ts";
import { tensorOf } from "../../src/tensor/tensor.ts";
import { checkOps, type Input, type OpCase } from "./check-op.ts";

const awayFromZero = (v: number) => v + Math.sign(v) * 0.1;
const positive = (v: number) => Math.abs(v) + 0.2;
/** Away from every multiple of a half, and so from the bounds and steps used below. */
const betweenHalves = (v: number) => Math.floor(v * 2) / 2 + 0.1 + 0.3 * (v * 2 - Math.floor(v * 2));
const float32 = (...values: number[]) => tensorOf("float32", [values.length], values);
const scalarOf = (value: number) => tensorOf("float32", [], [value]);
const shape: Input[] = [[2, 3, 5]];
const bothWays: Input[] = [
  [2, 1, 4],
  [3, 1],
];

const unary = (op: string, draw?: OpCase["draw"], name = "odd shape"): OpCase => ({
  op,
  name,
  inputs: shape,
  ...(draw && { draw }),
});

checkOps("elementwise operators of one input", [
  unary("Abs", awayFromZero),
  unary("Ceil", betweenHalves),
  unary("Elu", awayFromZero),
  { ...unary("Elu", awayFromZero), name: "another alpha", attributes: { alpha: float(0.3) } },
  unary("Erf"),
  unary("Exp"),
  unary("Floor", betweenHalves),
  unary("HardSigmoid", betweenHalves),
  { ...unary("HardSigmoid", awayFromZero), name: "as a step", attributes: { alpha: float(3e38), beta: float(0) } },
  { ...unary("HardSigmoid", (v) => 3 * v), name: "wide, mostly clipped", attributes: { alpha: float(0.9) } },
  unary("HardSwish", (v) => 4 * awayFromZero(v)),
  unary("Identity"),
  unary("LeakyRelu", awayFromZero),
  { ...unary("LeakyRelu", awayFromZero), name: "another alpha", attributes: { alpha: float(0.25) } },
  unary("Log", positive),
  { ...unary("Mish", (v) => 3 * v), opset: 18 },
  unary("Neg"),
  unary("Reciprocal", positive),
  unary("Relu", awayFromZero),
  unary("Round", (v) => betweenHalves(v) + 0.05),
  unary("Sigmoid", (v) => 3 * v),
  unary("Sign", awayFromZero),
  unary("Softplus", (v) => 5 * v),
  unary("Sqrt", positive),
  unary("Tanh"),
  { op: "Neg", name: "scalar", inputs: [[]] },
  { op: "Round", name: "halves to even", inputs: [float32(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, 2.6)] },
  { op: "Sign", name: "zeros", inputs: [float32(-3, 0, 3)] },
  { op: "Not", name: "bool", inputs: [tensorOf("bool", [3], [1, 0, 1])] },
]);

checkOps("arithmetic with broadcasting", [
  ...["Add", "Sub", "Mul"].flatMap((op): OpCase[] => [
    {
      op,
      name: "same shape",
      inputs: [
        [2, 3, 4],
        [2, 3, 4],
      ],
    },
    { op, name: "broadcast both ways", inputs: bothWays },
    {
      op,
      name: "a scalar on the left",
      inputs: [[], [2, 3]],
    },
  ]),
  { op: "Div", name: "broadcast both ways", inputs: bothWays, draw: positive },
  {
    op: "Div",
    name: "integers truncate",
    inputs: [tensorOf("int32", [4], [-7, 7, -7, 7]), tensorOf("int32", [4], [2, 2, -2, -2])],
  },
  {
    op: "Mul",
    name: "int32 wraps",
    /* integers are floats there */ runtime: false,
    inputs: [tensorOf("int32", [2], [2147483647, 65537]), tensorOf("int32", [], [65537])],
  },
  {
    op: "Sub",
    name: "uint8 wraps",
    /* integers are floats there */ runtime: false,
    inputs: [tensorOf("uint8", [2], [3, 200]), tensorOf("uint8", [2], [5, 100])],
    onnxruntime: true,
  },
  { op: "Pow", name: "broadcast both ways", inputs: bothWays, draw: positive },
  { op: "Pow", name: "squared, of both signs", inputs: [[2, 3], scalarOf(2)] },
  { op: "Pow", name: "cubed, of both signs", inputs: [[2, 3], scalarOf(3)], draw: awayFromZero },
  { op: "Pow", name: "a root", inputs: [[2, 3], scalarOf(0.5)], draw: positive },
  { op: "Pow", name: "an integer exponent", inputs: [[2, 3], tensorOf("int64", [1], [3])], draw: awayFromZero },
  { op: "Pow", name: "integers", inputs: [tensorOf("int64", [3], [2, -3, 5]), tensorOf("int64", [3], [40, 3, 0])] },
  { op: "Mod", name: "fmod of floats", inputs: [[2, 3, 4], float32(0.7, -0.9, 1.3, 5)], attributes: { fmod: int(1) } },
  {
    op: "Mod",
    name: "fmod by what is trained",
    inputs: [[2, 3, 4], [4]],
    attributes: { fmod: int(1) },
    draw: positive,
  },
  {
    op: "Mod",
    name: "integers take the divisor's sign",
    inputs: [tensorOf("int32", [4], [-7, 7, -7, 7]), tensorOf("int32", [4], [3, 3, -3, -3])],
  },
  {
    op: "Mod",
    name: "fmod of integers takes the dividend's sign",
    inputs: [tensorOf("int32", [4], [-7, 7, -7, 7]), tensorOf("int32", [4], [3, 3, -3, -3])],
    attributes: { fmod: int(1) },
  },
  {
    op: "PRelu",
    name: "a slope a channel",
    inputs: [
      [2, 3, 4, 5],
      [3, 1, 1],
    ],
    draw: awayFromZero,
  },
  { op: "PRelu", name: "one slope", inputs: [[2, 3, 4], [1]], draw: awayFromZero },
  ...["Max", "Min", "Sum", "Mean"].flatMap((op): OpCase[] => [
    { op, name: "one input", inputs: shape },
    { op, name: "broadcast both ways", inputs: bothWays },
    { op, name: "three inputs", inputs: [[2, 3, 4], [4], [3, 1]] },
  ]),
  { op: "Max", name: "ties share", inputs: [[2, 3], float32(-100, -100, -100), float32(-100, -100, -100)] },
  { op: "Clip", name: "both bounds", inputs: [[4, 5], scalarOf(-0.5), scalarOf(1)], draw: betweenHalves },
  { op: "Clip", name: "only below", inputs: [[4, 5], scalarOf(-0.5)], draw: betweenHalves },
  { op: "Clip", name: "only above", inputs: [[4, 5], undefined, scalarOf(0.5)], draw: betweenHalves },
  { op: "Clip", name: "no bound", inputs: [[4, 5]] },
  { op: "Clip", name: "a trained upper bound", inputs: [[4, 5], scalarOf(-1), []], draw: betweenHalves },
  { op: "Clip", name: "a trained lower bound", inputs: [[4, 5], []], draw: betweenHalves },
  { op: "Dropout", name: "in inference", inputs: [[4, 5]] },
  {
    op: "Dropout",
    name: "with a ratio and a mask",
    runtime: /more than one output/,
    inputs: [[4, 5], scalarOf(0.3)],
    outputs: 2,
  },
]);

const condition = tensorOf("bool", [3, 1], [1, 0, 1]);
const lhs = tensorOf("float32", [2, 3], [1, 2, 3, 4, 5, 6]);
const rhs = tensorOf("float32", [3], [1, 3, 2]);
const big = (...values: bigint[]) =>
  ({ dtype: "int64", shape: [values.length], data: BigInt64Array.from(values) }) as const;

checkOps("comparisons and choice", [
  ...["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"].flatMap((op): OpCase[] => [
    { op, name: "broadcast floats", inputs: [lhs, rhs] },
    {
      op,
      name: "integers beyond 2^53",
      /* exact up to 2^24 there */ runtime: false,
      inputs: [big(2n ** 53n, 2n ** 53n + 1n), big(2n ** 53n + 1n, 2n ** 53n + 1n)],
    },
  ]),
  ...["And", "Or"].map(
    (op): OpCase => ({
      op,
      name: "truth table",
      inputs: [tensorOf("bool", [4], [0, 0, 1, 1]), tensorOf("bool", [4], [0, 1, 0, 1])],
    }),
  ),
  { op: "Where", name: "broadcast three ways", inputs: [condition, [2, 3, 4], [4]] },
  { op: "Where", name: "the largest int64", inputs: [condition, big(2n ** 63n - 1n), big(-(2n ** 63n))] },
  {
    op: "Where",
    name: "integers",
    inputs: [condition, tensorOf("int64", [1], [7]), tensorOf("int64", [3, 2], [1, 2, 3, 4, 5, 6])],
  },
]);

const castTo = (dtype: Parameters<typeof elementTypeOf>[0]) => ({ to: int(elementTypeOf(dtype)) });

checkOps("Cast", [
  { op: "Cast", name: "to float64", inputs: shape, attributes: castTo("float64") },
  {
    op: "Cast",
    name: "to float16",
    runtime: /values of float16/,
    inputs: [float32(0.1, -2.7, 65504, 1e-7)],
    attributes: castTo("float16"),
  },
  { op: "Cast", name: "floats truncate", inputs: [float32(-2.7, 2.7, 0.2)], attributes: castTo("int32") },
  { op: "Cast", name: "to bool", inputs: [float32(-0.5, 0, 2)], attributes: castTo("bool") },
  { op: "Cast", name: "bool to float", inputs: [condition], attributes: castTo("float32") },
  {
    op: "Cast",
    name: "int64 wraps into int32",
    /* integers are floats there */ runtime: false,
    inputs: [big(2n ** 40n + 5n, -3n)],
    attributes: castTo("int32"),
  },
  {
    op: "Cast",
    name: "int32 wraps into uint8",
    /* integers are floats there */ runtime: false,
    inputs: [tensorOf("int32", [3], [300, -1, 5])],
    attributes: castTo("uint8"),
  },
]);
