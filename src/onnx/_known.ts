/**
 * What can be said of types without running an operator's inference: enough for version rules, which need a rank here and
 * a dtype there. Stated types come first, then a short forward walk; what it does not know stays unknown.
 */
import type { Dim, Graph, Node, ValueType } from "../graph/graph.ts";
import { type Tensor, tensorOf, toIntegers } from "../tensor/tensor.ts";

type Known = Partial<ValueType>;

/** More axes than any tensor has; a longer shape counts as unknown. */
export const mostAxes = 64;

/** The tensor of a Constant node, whichever attribute holds it; undefined for other nodes and other kinds. */
export function constantOf(node: Node): Tensor | undefined {
  if (node.op !== "Constant" || node.domain !== "") return undefined;
  const { value, value_float, value_floats, value_int, value_ints } = node.attributes;
  if (value?.kind === "tensor") return value.value;
  if (value_float?.kind === "float") return tensorOf("float32", [], [value_float.value]);
  if (value_floats?.kind === "floats") return tensorOf("float32", [value_floats.value.length], value_floats.value);
  if (value_int?.kind === "int") return tensorOf("int64", [], [value_int.value]);
  if (value_ints?.kind === "ints") return tensorOf("int64", [value_ints.value.length], value_ints.value);
  return undefined;
}

const keepsShape = new Set(
  `Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Gelu Mish Swish Tanh Softplus Softsign Softmax LogSoftmax Hardmax Clip Dropout
  Identity Cast Neg Abs Exp Log Sqrt Erf Floor Ceil Round BatchNormalization InstanceNormalization LRN ThresholdedRelu Shrink
  QuantizeLinear DequantizeLinear`.split(/\s+/),
);
const keepsRank = new Set([
  "MaxPool",
  "AveragePool",
  "LpPool",
  "Conv",
  "ConvTranspose",
  "Pad",
  "Slice",
  "Resize",
  "Upsample",
  "Concat",
  "Transpose",
  "Tile",
  "Split",
]);
const globalPools = new Set(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]);
const broadcasts = new Set(["Add", "Sub", "Mul", "Div", "Pow", "Sum", "Max", "Min", "Mean", "Where"]);
/** Operators whose output has another dtype than their first input. */
const otherDtype = new Set(
  `Cast CastLike Shape Size ArgMax ArgMin NonZero Equal Less Greater LessOrEqual GreaterOrEqual Not And Or Xor IsNaN IsInf Where
  QuantizeLinear DequantizeLinear DynamicQuantizeLinear ConvInteger MatMulInteger QLinearConv QLinearMatMul ConstantOfShape
  EyeLike RandomNormalLike RandomUniformLike Multinomial Bernoulli OneHot TopK If Loop Scan`.split(/\s+/),
);

/** Types of as many values as can be told. */
export function knownTypes(
  graph: Graph,
  stated: ReadonlyMap<string, Known>,
  constant: (name: string) => Tensor | undefined,
): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  for (const [name, type] of stated) known.set(name, defined(type));
  for (const node of graph.nodes) {
    const derived = node.domain === "" ? derive(node, (name) => known.get(name) ?? {}, constant) : {};
    for (const output of node.outputs)
      if (output !== "") known.set(output, { ...derived, ...defined(known.get(output)) });
  }
  return known;
}

function defined(type: Known | undefined): Known {
  const { dtype, shape } = type ?? {};
  // Shapes are copied from node to node: an absurd rank would make more of a hostile file than it brought.
  const usable = shape !== undefined && shape.length <= mostAxes;
  return { ...(dtype === undefined ? {} : { dtype }), ...(usable ? { shape } : {}) };
}

function derive(node: Node, type: (name: string) => Known, constant: (name: string) => Tensor | undefined): Known {
  const value = constantOf(node);
  if (value !== undefined) return defined(value);
  const { dtype } = type(node.inputs[0] ?? "");
  const shape = shapeOf(node, type, constant);
  return defined({ ...(dtype === undefined || otherDtype.has(node.op) ? {} : { dtype }), shape });
}

function shapeOf(
  node: Node,
  type: (name: string) => Known,
  constant: (name: string) => Tensor | undefined,
): readonly Dim[] | undefined {
  const { op } = node;
  const shape = type(node.inputs[0] ?? "").shape;
  if (op === "Gemm" || op === "Flatten") return ["?", "?"];
  if (op === "Reshape") {
    const target = constant(node.inputs[1] ?? "");
    if (target === undefined || target.data.length > mostAxes) return undefined;
    return toIntegers(target).map((dim) => (dim > 0 ? dim : "?"));
  }
  if (broadcasts.has(op)) {
    const shapes = node.inputs.map((input) => type(input).shape);
    if (shapes.some((other) => other === undefined)) return undefined;
    return Array.from({ length: Math.max(...shapes.map((other) => other!.length)) }, () => "?");
  }
  if (shape === undefined) return undefined;
  if (keepsShape.has(op)) return shape;
  if (keepsRank.has(op)) return shape.map(() => "?");
  if (globalPools.has(op)) return shape.map((dim, axis) => (axis < 2 ? dim : 1));
  return undefined;
}
