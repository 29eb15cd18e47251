import { float, int, string } from "../../src/graph/attributes.ts";
import { int64s, tensorOf } from "../../src/tensor/tensor.ts";
import { checkOps, type OpCase } from "./check-op.ts";

const scales = (...values: number[]) => tensorOf("float32", [values.length], values);

/** Resize of an odd plane to given sizes. */
const toSizes = (name: string, mode: string, coordinates: string, more: OpCase["attributes"] = {}): OpCase => ({
  op: "Resize",
  name,
  inputs: [[2, 3, 5, 6], undefined, undefined, int64s([2, 3, 8, 4])],
  attributes: { mode: string(mode), coordinate_transformation_mode: string(coordinates), ...more },
});

checkOps("resampling", [
  { op: "Resize", name: "nearest, twice", inputs: [[2, 3, 4, 5], undefined, scales(1, 1, 2, 2)] },
  {
    op: "Resize",
    name: "nearest, 2x3, asymmetric floor",
    inputs: [[2, 3, 4, 5], undefined, scales(1, 1, 2, 3)],
    attributes: { coordinate_transformation_mode: string("asymmetric"), nearest_mode: string("floor") },
  },
  { op: "Resize", name: "nearest, down", inputs: [[2, 3, 6, 8], undefined, scales(1, 1, 0.5, 0.6)] },
  toSizes("nearest, sizes, round_prefer_ceil", "nearest", "half_pixel", { nearest_mode: string("round_prefer_ceil") }),
  toSizes("nearest, ceil, align_corners", "nearest", "align_corners", { nearest_mode: string("ceil") }),
  toSizes("linear", "linear", "half_pixel"),
  toSizes("linear, asymmetric", "linear", "asymmetric"),
  toSizes("linear, align_corners", "linear", "align_corners"),
  toSizes("linear, pytorch_half_pixel", "linear", "pytorch_half_pixel"),
  toSizes("cubic", "cubic", "half_pixel"),
  toSizes("cubic, exclude_outside", "cubic", "half_pixel", { exclude_outside: int(1), cubic_coeff_a: float(-0.5) }),
  {
    op: "Resize",
    name: "linear crop with extrapolation",
    runtime: /in mode linear with such coordinates/,
    inputs: [
      [1, 2, 5, 6],
      tensorOf("float32", [8], [0, 0, -0.1, 0.2, 1, 1, 0.8, 1.3]),
      undefined,
      int64s([1, 2, 4, 7]),
    ],
    attributes: {
      mode: string("linear"),
      coordinate_transformation_mode: string("tf_crop_and_resize"),
      extrapolation_value: float(3),
    },
  },
  {
    op: "Resize",
    name: "linear on one axis",
    inputs: [[2, 3, 5], undefined, scales(1, 1, 1.7)],
    attributes: { mode: string("linear") },
  },

  { op: "DepthToSpace", name: "DCR", inputs: [[2, 12, 2, 3]], attributes: { blocksize: int(2) } },
  { op: "DepthToSpace", name: "CRD", inputs: [[2, 18, 2, 3]], attributes: { blocksize: int(3), mode: string("CRD") } },
  { op: "SpaceToDepth", name: "2x2", inputs: [[2, 3, 4, 6]], attributes: { blocksize: int(2) } },
]);
