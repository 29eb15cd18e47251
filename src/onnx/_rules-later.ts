/**
 * Changes of operators after opset 17: `down` brings a node to the form of opset 17, `up` back where a file of a later opset
 * is written. `up` leaves a node alone that has the later form already.
 */
import { ints, string } from "../graph/attributes.ts";
import type { Dim, Node } from "../graph/graph.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import {
  addNumbers,
  type Change,
  constantIntegers,
  hint,
  integer,
  integers,
  type Rule,
  type Scope,
  text,
  trimmed,
  withInput,
  without,
} from "./_scope.ts";

const unchanged: Rule = (node) => [node];

/** Reductions since 18: the axes are an input. */
const axesToAttribute: Rule = (node, scope) => {
  const [data = "", axes = ""] = node.inputs;
  const attributes = without(node.attributes, "noop_with_empty_axes");
  const keepsAll = integer(node, "noop_with_empty_axes", 0) === 1;
  const list = axes === "" ? [] : constantIntegers(scope, axes);
  if (list === undefined) return `its axes '${axes}' are not constant`;
  if (list.length === 0 && keepsAll) return "it reduces nothing (noop_with_empty_axes)";
  return [
    { ...node, inputs: [data], attributes: list.length === 0 ? attributes : { ...attributes, axes: ints(list) } },
  ];
};

const axesToInput: Rule = (node, scope) => {
  const axes = node.attributes.axes;
  if (axes?.kind !== "ints") return [node];
  const name = addNumbers(scope, hint(node, "axes"), axes.value);
  return [{ ...node, inputs: withInput(node.inputs, 1, name), attributes: without(node.attributes, "axes") }];
};

/** Split since 18: the number of outputs is stated, and the last part may be smaller. */
const splitEvenly: Rule = (node, scope) => {
  const attributes = without(node.attributes, "num_outputs");
  if ((node.inputs[1] ?? "") !== "") return [{ ...node, attributes }];
  const count = node.outputs.length;
  if (integer(node, "num_outputs", count) !== count) return `it has ${count} outputs and another 'num_outputs'`;
  const shape = scope.type(node.inputs[0] ?? "").shape;
  const axis = integer(node, "axis", 0);
  const dim = shape?.[axis < 0 ? axis + shape.length : axis];
  if (typeof dim !== "number") return "the length of the axis it splits is not known";
  if (dim % count === 0) return [{ ...node, attributes }];
  const part = Math.ceil(dim / count);
  const parts = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, dim - i * part)));
  return [{ ...node, inputs: withInput(node.inputs, 1, addNumbers(scope, hint(node, "split"), parts)), attributes }];
};

const splitCount: Rule = (node) => {
  if ((node.inputs[1] ?? "") !== "" || node.attributes.num_outputs !== undefined) return [node];
  return [{ ...node, attributes: { ...node.attributes, num_outputs: { kind: "int", value: node.outputs.length } } }];
};

/** Positions of `axes` in a tensor of `rank` axes, undefined where one is outside. */
function positions(axes: readonly number[], rank: number): number[] | undefined {
  const all = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  return all.every((axis) => axis >= 0 && axis < rank) ? all : undefined;
}

/** Pad since 18: pads may be given for some axes only; since 19 it can wrap around. */
const padAllAxes: Rule = (node, scope) => {
  if (text(node, "mode", "constant") === "wrap") return "it pads by wrapping around";
  const [data = "", pads = "", value = "", axes = ""] = node.inputs;
  if (axes === "") return [node];
  const axisValues = constantIntegers(scope, axes);
  const given = constantIntegers(scope, pads);
  const rank = scope.type(data).shape?.length;
  if (axisValues === undefined || given === undefined) return "its pads or axes are not constant";
  if (rank === undefined) return "the rank of what it pads is not known";
  const some = positions(axisValues, rank);
  if (some === undefined || given.length !== 2 * some.length) return "its pads and axes do not go together";
  const all = new Array<number>(2 * rank).fill(0);
  some.forEach((axis, i) => {
    all[axis] = given[i] ?? 0;
    all[axis + rank] = given[i + some.length] ?? 0;
  });
  return [{ ...node, inputs: trimmed([data, addNumbers(scope, hint(node, "pads"), all), value]) }];
};

/** Resize since 18: antialiasing, aspect ratio and a choice of axes; since 19 one more way to place pixels. */
const resizeAllAxes: Rule = (node, scope) => {
  if (integer(node, "antialias", 0) !== 0) return "it resizes with antialiasing";
  if (text(node, "keep_aspect_ratio_policy", "stretch") !== "stretch") return "it keeps the aspect ratio";
  if (text(node, "coordinate_transformation_mode", "half_pixel") === "half_pixel_symmetric")
    return "it places pixels by 'half_pixel_symmetric'";
  const attributes = without(node.attributes, "antialias", "keep_aspect_ratio_policy", "axes");
  const axes = integers(node, "axes");
  if (axes === undefined) return [{ ...node, attributes }];
  const inputs = resizeInputs(node, axes.map(Number), scope);
  return typeof inputs === "string" ? inputs : [{ ...node, inputs, attributes }];
};

/** The inputs of a Resize of some axes, spread over all axes of its data. */
function resizeInputs(node: Node, axes: readonly number[], scope: Scope): string[] | string {
  const [data = "", roi = "", scales = "", sizes = ""] = node.inputs;
  const shape = scope.type(data).shape;
  if (shape === undefined) return "the rank of what it resizes is not known";
  if (roi !== "" && text(node, "coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize")
    return "it crops some axes only";
  const given = scope.constant(scales === "" ? sizes : scales);
  if (given === undefined || given.data.length !== axes.length) return "its scales or sizes are not constant";
  if (given.dtype !== (scales === "" ? "int64" : "float32")) return "its scales or sizes have another type";
  const where = positions(axes, shape.length);
  if (where === undefined) return "its axes are outside of what it resizes";
  const values = toNumbers(given);
  const all: Dim[] = scales === "" ? [...shape] : shape.map(() => 1);
  where.forEach((axis, i) => {
    all[axis] = values[i]!;
  });
  const numbers = all.filter((dim) => typeof dim === "number");
  if (numbers.length < all.length) return "a size it keeps is not known";
  if (scales === "") return [data, "", "", addNumbers(scope, hint(node, "sizes"), numbers)];
  return [data, "", scope.initializer(hint(node, "scales"), tensorOf("float32", [numbers.length], numbers))];
}

const notDilated: Rule = (node) => {
  if (integers(node, "dilations")?.some((step) => step !== 1n)) return "it has dilations";
  if (node.op === "LpPool" && integer(node, "ceil_mode", 0) !== 0) return "it rounds up its output size (ceil_mode)";
  const attributes = without(node.attributes, "dilations");
  return [{ ...node, attributes: node.op === "LpPool" ? without(attributes, "ceil_mode") : attributes }];
};

/** Casts since 19 know 8-bit floats and what to do out of their range. */
const castPlainly: Rule = (node) => {
  if (integer(node, "to", 1) > 16) return "it casts to a type that opset 17 lacks";
  return [{ ...node, attributes: without(node.attributes, "saturate", "round_mode") }];
};

const quantizePlainly: Rule = (node, scope) => {
  if (integer(node, "block_size", 0) !== 0) return "it quantizes by blocks";
  const types = ["output_dtype", "precision"].filter((name) => integer(node, name, 0) !== 0);
  if (types.length > 0) return `it has '${types[0]}'`;
  const [data = "", scale = "", zero = ""] = node.inputs;
  const scaleType = scope.type(scale).dtype;
  const zeroType = scope.type(zero).dtype ?? (node.op === "DequantizeLinear" ? scope.type(data).dtype : undefined);
  if (scaleType !== undefined && scaleType !== "float32") return `its scale is ${scaleType}`;
  if (zeroType !== undefined && !["uint8", "int8", "int32"].includes(zeroType)) return `it quantizes to ${zeroType}`;
  return [{ ...node, attributes: without(node.attributes, "saturate", "block_size", "output_dtype", "precision") }];
};

/** Refuses a node whose inputs at `indices` are known to have another type than `dtypes`. */
function onlyTypes(indices: readonly number[], dtypes: readonly string[]): Rule {
  return (node, scope) => {
    const other = indices.map((i) => scope.type(node.inputs[i] ?? "").dtype).find((t) => t && !dtypes.includes(t));
    return other === undefined ? [node] : `opset 17 does not have it for ${other}`;
  };
}

const scatterOnly: Rule = (node) => {
  const reduction = text(node, "reduction", "none");
  return reduction === "max" || reduction === "min" ? `it reduces by ${reduction}` : [node];
};

const gridModes = new Map([
  ["linear", "bilinear"],
  ["cubic", "bicubic"],
]);

/** GridSample since 20 serves any number of axes and names its modes for that. */
const gridOf2d: Rule = (node, scope) => {
  if (scope.type(node.inputs[0] ?? "").shape?.length !== 4) return "it may sample something else than images";
  const mode = text(node, "mode", "linear");
  return [{ ...node, attributes: { ...node.attributes, mode: string(gridModes.get(mode) ?? mode) } }];
};

const gridOfAny: Rule = (node) => {
  const mode = text(node, "mode", "bilinear");
  const later = [...gridModes].find(([, earlier]) => earlier === mode)?.[0] ?? mode;
  return [{ ...node, attributes: { ...node.attributes, mode: string(later) } }];
};

const reduction: readonly Change[] = [{ since: 18, down: axesToAttribute, up: axesToInput }];
const notBool: Rule = (node, scope) =>
  scope.type(node.inputs[0] ?? "").dtype === "bool" ? "opset 17 does not have it for bool" : [node];
const extremum: readonly Change[] = [...reduction, { since: 20, down: notBool, up: unchanged }];
const cast: readonly Change[] = [{ since: 19, down: castPlainly, up: unchanged }];
const quantize: readonly Change[] = [{ since: 19, down: quantizePlainly, up: unchanged }];
const scatter: readonly Change[] = [{ since: 18, down: scatterOnly, up: unchanged }];

/** The changes of every operator of opset 17 that has any since, other than new element types. */
export const changesAfter17: Readonly<Record<string, readonly Change[]>> = {
  AveragePool: [{ since: 19, down: notDilated, up: unchanged }],
  Cast: cast,
  CastLike: cast,
  DFT: [
    {
      since: 20,
      down: () => "its axis is an input",
      up: (node) => (node.attributes.axis === undefined ? [node] : "its axis is an attribute"),
    },
  ],
  DequantizeLinear: quantize,
  GridSample: [{ since: 20, down: gridOf2d, up: gridOfAny }],
  IsInf: [{ since: 20, down: onlyTypes([0], ["float32", "float64"]), up: unchanged }],
  LpPool: [{ since: 18, down: notDilated, up: unchanged }],
  Pad: [{ since: 18, down: padAllAxes, up: unchanged }],
  QuantizeLinear: quantize,
  QLinearMatMul: [{ since: 21, down: onlyTypes([1, 4, 6], ["float32"]), up: unchanged }],
  Range: [
    {
      since: 27,
      down: (node) => (node.attributes.stash_type === undefined ? [node] : "it says in which type it counts"),
      up: unchanged,
    },
  ],
  ReduceL1: reduction,
  ReduceL2: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceMax: extremum,
  ReduceMean: reduction,
  ReduceMin: extremum,
  ReduceProd: reduction,
  ReduceSumSquare: reduction,
  Resize: [{ since: 18, down: resizeAllAxes, up: unchanged }],
  ScatterElements: scatter,
  ScatterND: scatter,
  Split: [{ since: 18, down: splitEvenly, up: splitCount }],
};
