/**
 * Resize: one axis after another, each output a sum of 1, 2 or 4 inputs (nearest, linear, cubic: Keys 1981) around its coordinate;
 * coordinates outside of the input are clamped to its edge. Not here: antialias, crops, kept aspect ratios.
 */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, axisOf, type Build, type Place, sizeOf, unsupported } from "../build.ts";

export function addResize(build: Build, node: ProgramNode): void {
  const x = node.inputs[0]!;
  const given = build.shape(x);
  const axes = attribute(node, "axes", [...given.keys()]).map((axis) => axisOf(axis, given.length));
  const [scales, sizes] = [2, 3].map((i) => {
    const list = build.list(node.inputs[i]);
    return list?.length ? list : undefined;
  });
  const wanted = sizes ?? scales;
  if (wanted?.length !== axes.length) throw badFile(`Resize of ${axes.length} axes by ${wanted}`);
  const scaleOf = (axis: number) => (sizes ? sizes[axes.indexOf(axis)]! / given[axis]! : scales![axes.indexOf(axis)]!);
  const target = given.map((size, axis) => {
    if (!axes.includes(axis)) return size;
    return sizes ? sizes[axes.indexOf(axis)]! : Math.floor(size * scaleOf(axis));
  });
  const y = build.output(node, target);
  if (attribute(node, "antialias", 0) || attribute(node, "keep_aspect_ratio_policy", "stretch") !== "stretch")
    throw unsupported("Resize with antialias or a kept aspect ratio");
  let src = build.read(x);
  const shape = [...given];
  const changed = axes.filter((axis) => scaleOf(axis) !== 1).sort((a, b) => a - b);
  if (changed.length === 0) {
    build.view(y, x);
    return;
  }
  for (const axis of changed) {
    const taps = tapsOf(build, node, shape[axis]!, target[axis]!, scaleOf(axis));
    const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
    const input = shape[axis]!;
    shape[axis] = target[axis]!;
    const dst = axis === changed.at(-1) ? build.write(y) : build.scratch(4 * sizeOf(shape));
    addTaps(build, src, dst, taps, [outer, input, inner]);
    src = dst;
  }
}

/** For each output of an axis the inputs that it reads and their weights. */
interface Taps {
  readonly count: number;
  readonly from: Int32Array;
  readonly weights: Float64Array;
}

function addTaps(build: Build, src: Place, dst: Place, taps: Taps, [outer, input, inner]: readonly number[]): void {
  const { count, from: places, weights } = taps;
  build.act(
    (memory, from, to) => {
      let at = to! / 4;
      for (let o = 0; o < outer!; o++) {
        const base = from! / 4 + o * input! * inner!;
        for (let first = 0; first < places.length; first += count)
          for (let i = 0; i < inner!; i++) {
            let sum = 0;
            for (let t = first; t < first + count; t++) sum += weights[t]! * memory[base + places[t]! * inner! + i]!;
            memory[at++] = sum;
          }
      }
    },
    src,
    dst,
  );
}

function tapsOf(build: Build, node: ProgramNode, input: number, output: number, scale: number): Taps {
  const mode = attribute(node, "mode", "nearest");
  const count = new Map([
    ["nearest", 1],
    ["linear", 2],
    ["cubic", 4],
  ]).get(mode);
  const where = coordinates.get(attribute(node, "coordinate_transformation_mode", "half_pixel"));
  const round = roundings.get(attribute(node, "nearest_mode", "round_prefer_floor"));
  if (!count || !where || !round || !(scale > 0)) throw unsupported(`Resize in mode ${mode} with such coordinates`);
  const a = attribute(node, "cubic_coeff_a", -0.75);
  const excludes = attribute(node, "exclude_outside", 0) === 1;
  const clamp = (place: number) => Math.min(Math.max(place, 0), input - 1);
  build.hold(12 * count * output);
  const [from, weights] = [new Int32Array(count * output), new Float64Array(count * output)];
  for (let i = 0; i < output; i++) {
    const at = where(i, scale, input, output);
    const first = count === 1 ? round(at) : Math.floor(at) + 1 - count / 2;
    let total = 0;
    for (let t = 0; t < count; t++) {
      const place = first + t;
      const weight = excludes && clamp(place) !== place ? 0 : weightOf(count, Math.abs(place - at), a);
      from[i * count + t] = clamp(place);
      weights[i * count + t] = weight;
      total += weight;
    }
    for (let t = i * count; t < (i + 1) * count; t++) weights[t]! /= total;
  }
  return { count, from, weights };
}

function weightOf(count: number, d: number, a: number): number {
  if (count === 1) return 1;
  if (count === 2) return 1 - d;
  return d <= 1 ? (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1 : a * (d ** 3 - 5 * d ** 2 + 8 * d - 4);
}

const half = (i: number, scale: number) => (i + 0.5) / scale - 0.5;

/** Where an output lies in the input. */
const coordinates: ReadonlyMap<string, (i: number, scale: number, input: number, output: number) => number> = new Map([
  ["half_pixel", half],
  [
    "half_pixel_symmetric",
    (i: number, scale: number, input: number, output: number) => (input - output / scale) / 2 + half(i, scale),
  ],
  ["pytorch_half_pixel", (i: number, scale: number, _: number, output: number) => (output > 1 ? half(i, scale) : 0)],
  [
    "align_corners",
    (i: number, scale: number, input: number, output: number) =>
      output === 1 ? 0 : (i * (input - 1)) / (scale * input - 1),
  ],
  ["asymmetric", (i: number, scale: number) => i / scale],
  ["tf_half_pixel_for_nn", (i: number, scale: number) => (i + 0.5) / scale],
]);

const roundings: ReadonlyMap<string, (at: number) => number> = new Map([
  ["round_prefer_floor", (at: number) => Math.ceil(at - 0.5)],
  ["round_prefer_ceil", (at: number) => Math.floor(at + 0.5)],
  ["floor", Math.floor],
  ["ceil", Math.ceil],
]);
