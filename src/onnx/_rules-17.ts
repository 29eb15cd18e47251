/** Changes of operators up to opset 17: each rule brings a node from the form before a version to the form since then. */
import { int, string } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";
import { toNumbers } from "../tensor/tensor.ts";
import {
  addIntegers,
  addNumbers,
  addScalar,
  type Change,
  float,
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

/** Moves a list of integers from an attribute to an input. */
function integersToInput(attribute: string, index: number): Rule {
  return (node, scope) => {
    if (node.attributes[attribute] === undefined) return [node];
    const values = integers(node, attribute);
    if (values === undefined) return `its attribute '${attribute}' is not a list of integers`;
    const name = addIntegers(scope, hint(node, attribute), values);
    return [{ ...node, inputs: withInput(node.inputs, index, name), attributes: without(node.attributes, attribute) }];
  };
}

/** Slice before 10: starts, ends and axes are attributes. */
const slice: Rule = (node, scope) => {
  const starts = integers(node, "starts");
  const ends = integers(node, "ends");
  if (starts === undefined || ends === undefined) return "it lacks 'starts' or 'ends'";
  const axes = integers(node, "axes") ?? starts.map((_, axis) => BigInt(axis));
  const inputs = [
    node.inputs[0] ?? "",
    addIntegers(scope, hint(node, "starts"), starts),
    addIntegers(scope, hint(node, "ends"), ends),
    addIntegers(scope, hint(node, "axes"), axes),
  ];
  return [{ ...node, inputs, attributes: without(node.attributes, "starts", "ends", "axes") }];
};

/** Clip before 11: the bounds are attributes. */
const clip: Rule = (node, scope) => {
  const dtype = scope.floatType(node.inputs[0] ?? "");
  const bound = (name: string) => {
    const value = float(node, name);
    return value === undefined ? "" : addScalar(scope, hint(node, name), dtype, value);
  };
  const inputs = trimmed([node.inputs[0] ?? "", bound("min"), bound("max")]);
  return [{ ...node, inputs, attributes: without(node.attributes, "min", "max") }];
};

/** Pad before 11: pads and the value are attributes. */
const pad: Rule = (node, scope) => {
  const pads = integers(node, "pads");
  if (pads === undefined) return "it lacks 'pads'";
  const value = float(node, "value") ?? 0;
  const inputs = [node.inputs[0] ?? "", addIntegers(scope, hint(node, "pads"), pads)];
  if (value !== 0) inputs.push(addScalar(scope, hint(node, "value"), scope.floatType(node.inputs[0] ?? ""), value));
  return [{ ...node, inputs, attributes: without(node.attributes, "pads", "value") }];
};

/** Dropout before 12: the ratio is an attribute, inference the only mode, and what the mask then holds is not said. */
const dropout: Rule = (node, scope) => {
  const mask = node.outputs[1] ?? "";
  if (mask !== "" && scope.isRead(mask)) return `its mask '${mask}' is read`;
  const ratio = float(node, "ratio");
  const inputs =
    ratio === undefined
      ? node.inputs
      : withInput(node.inputs, 1, addScalar(scope, hint(node, "ratio"), "float32", ratio));
  return [{ ...node, inputs, outputs: node.outputs.slice(0, 1), attributes: without(node.attributes, "ratio") }];
};

/** BatchNormalization before 9: statistics per channel, or per activation where spatial = 0. */
const spatial: Rule = (node, scope) => {
  const perChannel = integer(node, "spatial", 1) === 1 || scope.type(node.inputs[1] ?? "").shape?.length === 1;
  return perChannel
    ? [{ ...node, attributes: without(node.attributes, "spatial") }]
    : "it has statistics per activation (spatial = 0)";
};

/** BatchNormalization before 14: more than one output meant training mode. */
const trainingOutputs: Rule = (node, scope) => {
  if (node.outputs.slice(1).every((output) => output === "")) return [{ ...node, outputs: node.outputs.slice(0, 1) }];
  const saved = node.outputs.slice(3).find((output) => output !== "" && scope.isRead(output));
  if (saved !== undefined) return `its output '${saved}' is read`;
  return [{ ...node, outputs: node.outputs.slice(0, 3), attributes: { ...node.attributes, training_mode: int(1) } }];
};

/** TopK before 10: k is an attribute. */
const topK: Rule = (node, scope) => {
  const inputs = [node.inputs[0] ?? "", addNumbers(scope, hint(node, "k"), [integer(node, "k", 1)])];
  return [{ ...node, inputs, attributes: without(node.attributes, "k") }];
};

/** Upsample before 9: the scales are an attribute. */
const upsampleScales: Rule = (node, scope) => {
  const scales = node.attributes.scales;
  if (scales?.kind !== "floats") return "it lacks 'scales'";
  const { value } = scales;
  const name = scope.initializer(hint(node, "scales"), {
    dtype: "float32",
    shape: [value.length],
    data: Float32Array.from(value),
  });
  return [{ ...node, inputs: withInput(node.inputs, 1, name), attributes: without(node.attributes, "scales") }];
};

/** Resize before 11 placed pixel x at x / scale and took the one before it, or when shrinking the one after it. */
const resizeCorners: Rule = (node, scope) => {
  const [data = "", scales = ""] = node.inputs;
  const values = scope.constant(scales);
  const shrinks = values !== undefined && toNumbers(values).some((scale) => scale < 1);
  if (shrinks && toNumbers(values).some((scale) => scale > 1) && text(node, "mode", "nearest") === "nearest")
    return "it shrinks along one axis and grows along another";
  const attributes = {
    ...node.attributes,
    coordinate_transformation_mode: string("asymmetric"),
    nearest_mode: string(shrinks ? "ceil" : "floor"),
  };
  return [{ ...node, inputs: [data, "", scales], attributes }];
};

/** Resize before 13: roi and scales were always there, empty where not meant, and one more way to place pixels. */
const resizeOptional: Rule = (node, scope) => {
  const crops = text(node, "coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize";
  const [data = "", roi = "", scales = "", sizes = ""] = node.inputs;
  const isEmpty = (name: string) => scope.constant(name)?.data.length === 0;
  const inputs = trimmed([data, crops ? roi : "", sizes !== "" || isEmpty(scales) ? "" : scales, sizes]);
  if (text(node, "coordinate_transformation_mode", "half_pixel") !== "tf_half_pixel_for_nn")
    return [{ ...node, inputs }];
  // floor((x + 1/2) / s) is (x + 1/2) / s - 1/2 rounded half up.
  if (text(node, "mode", "nearest") !== "nearest" || text(node, "nearest_mode", "round_prefer_floor") !== "floor")
    return "it uses 'tf_half_pixel_for_nn' with another mode than nearest, floor";
  const attributes = {
    ...node.attributes,
    coordinate_transformation_mode: string("half_pixel"),
    nearest_mode: string("round_prefer_ceil"),
  };
  return [{ ...node, inputs, attributes }];
};

/** Softmax before 13 ran over everything from its axis on, taken together. */
const flattenedSoftmax: Rule = (node, scope) => {
  const axis = integer(node, "axis", 1);
  const [data = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const shape = scope.type(data).shape;
  const on = (index: number, from: string, to: string): Node => ({
    ...node,
    inputs: [from],
    outputs: [to],
    attributes: { ...node.attributes, axis: int(index) },
  });
  if (shape !== undefined) {
    const start = axis < 0 ? axis + shape.length : axis;
    const wide = shape.map((_, i) => i).filter((i) => i >= start && shape[i] !== 1);
    if (wide.length <= 1 && start < shape.length) return [on(wide[0] ?? start, data, output)];
  }
  return aroundFlat(node, scope, axis, data, output, on);
};

function aroundFlat(
  node: Node,
  scope: Scope,
  axis: number,
  data: string,
  output: string,
  on: (index: number, from: string, to: string) => Node,
): Node[] {
  const [flat, result, shape] = ["flat", "result", "shape"].map((part) => scope.fresh(hint(node, part)));
  const make = (op: string, inputs: string[], to: string, attributes = {}): Node => ({
    name: hint(node, op.toLowerCase()),
    op,
    domain: "",
    inputs,
    outputs: [to],
    attributes,
  });
  return [
    make("Shape", [data], shape!),
    make("Flatten", [data], flat!, { axis: int(axis) }),
    on(1, flat!, result!),
    make("Reshape", [result!, shape!], output),
  ];
}

const rename =
  (op: string): Rule =>
  (node) => [{ ...node, op }];

const softmax: readonly Change[] = [{ since: 13, up: flattenedSoftmax }];
const axesInput: readonly Change[] = [{ since: 13, up: integersToInput("axes", 1) }];

/** The changes of every operator that has any between opsets 7 and 17 which are more than new element types or defaults. */
export const changesTo17: Readonly<Record<string, readonly Change[]>> = {
  BatchNormalization: [
    { since: 9, up: spatial },
    { since: 14, up: trainingOutputs },
  ],
  Clip: [{ since: 11, up: clip }],
  Dropout: [{ since: 12, up: dropout }],
  Hardmax: softmax,
  LogSoftmax: softmax,
  Pad: [{ since: 11, up: pad }],
  ReduceSum: axesInput,
  Resize: [
    { since: 11, up: resizeCorners },
    { since: 13, up: resizeOptional },
  ],
  RoiAlign: [
    {
      since: 16,
      up: (node) => [
        { ...node, attributes: { ...node.attributes, coordinate_transformation_mode: string("output_half_pixel") } },
      ],
    },
  ],
  Scan: [{ since: 9, up: () => "Scan of opset 8 has no later form" }],
  Scatter: [{ since: 11, up: rename("ScatterElements") }],
  Slice: [{ since: 10, up: slice }],
  Softmax: softmax,
  Split: [{ since: 13, up: integersToInput("split", 1) }],
  Squeeze: axesInput,
  TopK: [{ since: 10, up: topK }],
  Unsqueeze: axesInput,
  Upsample: [
    { since: 9, up: upsampleScales },
    { since: 10, up: rename("Resize") },
  ],
};
