/**
 * Resize as one sparse matrix an axis: `y[i] = Σ_j M[i, j] · x[j]`. A row holds the taps around the input coordinate of output
 * `i`: one (nearest), two (linear), four (cubic, Keys 1981), or more where antialias stretches the filter by 1/scale.
 * A coordinate outside the input clamps its taps to the edge; with tf_crop_and_resize its row is empty and `outside` is set.
 */
import { NetpareError } from "../tensor/error.ts";

/** How Resize reads: ONNX's attributes of these names. */
export interface Interpolation {
  readonly mode: string;
  readonly coordinate_transformation_mode: string;
  readonly nearest_mode: string;
  readonly cubic_coeff_a: number;
  readonly exclude_outside: number;
  readonly antialias: number;
}

/** One axis: sizes, the scale between them, and the part of the input that tf_crop_and_resize reads, as fractions. */
export interface ResizedAxis {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
  readonly crop: readonly [number, number];
}

/** A row of the matrix. */
export interface Row {
  readonly taps: readonly { readonly from: number; readonly weight: number }[];
  readonly outside: boolean;
}

/**
 * The rows of an axis.
 * @throws NetpareError `unsupported` for a mode that ONNX does not name.
 */
export function interpolationRows(how: Interpolation, axis: ResizedAxis): Row[] {
  return Array.from({ length: axis.output }, (_, i) => {
    const at = inputCoordinate(how.coordinate_transformation_mode, axis, i);
    const outside = how.coordinate_transformation_mode === "tf_crop_and_resize" && (at < 0 || at > axis.input - 1);
    return { taps: outside ? [] : tapsAround(how, axis, at), outside };
  });
}

function inputCoordinate(mode: string, { input, output, scale, crop }: ResizedAxis, i: number): number {
  const half = (i + 0.5) / scale - 0.5;
  switch (mode) {
    case "half_pixel":
      return half;
    case "half_pixel_symmetric":
      return (input / 2) * (1 - output / (scale * input)) + half;
    case "pytorch_half_pixel":
      return output > 1 ? half : 0;
    case "align_corners":
      // ONNX measures by the size before rounding, onnxruntime by the rounded one.
      return output === 1 ? 0 : (i * (input - 1)) / (scale * input - 1);
    case "asymmetric":
      return i / scale;
    case "tf_half_pixel_for_nn":
      return (i + 0.5) / scale;
    case "tf_crop_and_resize": {
      const [start, end] = crop;
      return (output > 1 ? start + (i * (end - start)) / (output - 1) : (start + end) / 2) * (input - 1);
    }
    default:
      throw new NetpareError("unsupported", `coordinate_transformation_mode '${mode}' is not one of ONNX's`);
  }
}

function tapsAround(how: Interpolation, { input, scale }: ResizedAxis, at: number): Row["taps"] {
  const clamp = (index: number) => Math.min(Math.max(index, 0), input - 1);
  if (how.mode === "nearest") return [{ from: clamp(nearest(how.nearest_mode, at)), weight: 1 }];
  const [radius, filter] = filterOf(how);
  const stretch = how.antialias ? Math.min(scale, 1) : 1;
  const floor = Math.floor(at);
  const start = Math.floor(-radius / stretch) + 1;
  const indices = Array.from({ length: 2 - 2 * start }, (_, k) => floor + start + k);
  let weights = indices.map((index) => filter((index - at) * stretch));
  if (how.exclude_outside) weights = weights.map((weight, k) => (clamp(indices[k]!) === indices[k] ? weight : 0));
  const total = weights.reduce((a, b) => a + b);
  return indices.map((index, k) => ({ from: clamp(index), weight: weights[k]! / total }));
}

function nearest(mode: string, at: number): number {
  switch (mode) {
    case "round_prefer_floor":
      return Math.ceil(at - 0.5);
    case "round_prefer_ceil":
      return Math.floor(at + 0.5);
    case "floor":
      return Math.floor(at);
    case "ceil":
      return Math.ceil(at);
    default:
      throw new NetpareError("unsupported", `nearest_mode '${mode}' is not one of ONNX's`);
  }
}

function filterOf(how: Interpolation): [radius: number, filter: (distance: number) => number] {
  if (how.mode === "linear") return [1, (d) => Math.max(1 - Math.abs(d), 0)];
  if (how.mode !== "cubic") throw new NetpareError("unsupported", `Resize mode '${how.mode}' is not one of ONNX's`);
  const a = how.cubic_coeff_a;
  return [
    2,
    (distance) => {
      const d = Math.abs(distance);
      if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
      return d < 2 ? a * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
    },
  ];
}
