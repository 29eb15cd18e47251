/**
 * What Reshape, Flatten, Squeeze and Unsqueeze share: target shapes with dynamic dimensions, the channel rule of an index map
 * that keeps the row-major order, and its gradient.
 */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { sizeOf } from "../tensor/shape.ts";
import { type ChannelLinks, inputAxis, outputAxis } from "./channels.ts";
import { isStatic, multiplyDims } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/**
 * The shape that reshaping `from` to `target` gives: -1 takes what is left, 0 copies unless `allowzero`.
 * @throws NetpareError `bad-shape` where the elements do not fit.
 */
export function reshapedDims(from: readonly Dim[], target: readonly Dim[], allowzero: boolean): Dim[] {
  const dims = target.map((dim, axis) => {
    if (dim !== 0 || allowzero) return dim;
    if (axis >= from.length) throw mismatch(from, target);
    return from[axis]!;
  });
  const open = dims.indexOf(-1);
  if (open >= 0) {
    const left = divideDims(
      from,
      dims.filter((_, axis) => axis !== open),
    );
    if (left === undefined) throw mismatch(from, target);
    dims[open] = left;
  } else if (isStatic(from) && isStatic(dims) && sizeOf(from) !== sizeOf(dims)) throw mismatch(from, target);
  return dims;
}

const mismatch = (from: readonly Dim[], target: readonly Dim[]) =>
  new NetpareError("bad-shape", `a tensor of shape [${from}] does not reshape to [${target}]`);

/** The product of `dividend` over that of `divisor`, "?" where not known, undefined where it is no whole number. */
function divideDims(dividend: readonly Dim[], divisor: readonly Dim[]): Dim | undefined {
  const rest = [...dividend];
  const left = divisor.filter((dim) => {
    const at = typeof dim === "string" && dim !== "?" ? rest.indexOf(dim) : -1;
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  if (left.some((dim) => typeof dim === "string")) return "?";
  const above = sizeOf(rest.filter((dim) => typeof dim === "number"));
  const below = sizeOf(left.filter((dim) => typeof dim === "number"));
  const symbols = rest.filter((dim) => typeof dim === "string");
  if (symbols.length > 0) return above === below ? multiplyDims(symbols) : "?";
  if (below === 0) return above === 0 ? 0 : undefined;
  return above % below === 0 ? above / below : undefined;
}

interface Axes {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/**
 * Splits two shapes of equal size into the smallest runs of axes of equal size, axes of size 1 left out.
 * Equal names of dynamic dimensions match each other; what comes after dimensions that do not match is left out.
 */
function matchAxes(from: readonly Dim[], to: readonly Dim[]): Axes[] {
  const groups: Axes[] = [];
  const a = from.flatMap((dim, axis) => (dim === 1 ? [] : [axis]));
  const b = to.flatMap((dim, axis) => (dim === 1 ? [] : [axis]));
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const group = { input: [a[i]!], output: [b[j]!] };
    let p = from[a[i++]!]!;
    let q = to[b[j++]!]!;
    if (typeof p === "string" || typeof q === "string") {
      const known = p !== "?" || restSize(from, a.slice(i)) === restSize(to, b.slice(j));
      if (p !== q || !known) return groups;
    } else
      while (p !== q) {
        const grow: Dim | undefined = p < q ? from[a[i]!] : to[b[j]!];
        if (typeof grow !== "number" || grow === 0) return groups;
        if (p < q) {
          group.input.push(a[i++]!);
          p *= grow;
        } else {
          group.output.push(b[j++]!);
          q *= grow;
        }
      }
    groups.push(group);
  }
  return groups;
}

/** The size of some axes; NaN, which equals nothing, where one is dynamic. */
const restSize = (shape: readonly Dim[], axes: readonly number[]) =>
  axes.reduce((size, axis) => size * (typeof shape[axis] === "number" ? shape[axis] : Number.NaN), 1);

/**
 * The channel rule of a reshape.
 * - Equal axes are tied.
 * - C, H, W -> K: slot k of K belongs to channel ⌊k / (H·W)⌋; the same for the last axis K -> C, H, W.
 * - C -> g, C/g with axes behind it (a channel shuffle): slot k belongs to slot k mod (C/g) in every group; g is pinned.
 */
export function linkReshape(from: readonly Dim[], to: readonly Dim[], links: ChannelLinks): void {
  const lastWide = from.findLastIndex((dim) => dim !== 1);
  for (const { input, output } of matchAxes(from, to)) {
    const [i, j] = [input[0]!, output[0]!];
    if (input.length === 1 && output.length === 1) links.tie(inputAxis(0, i), outputAxis(0, j));
    else if (output.length === 1) {
      const inner = restSize(from, input.slice(1));
      links.tie(outputAxis(0, j), inputAxis(0, i), (k) => Math.floor(k / inner));
    } else if (input.length === 1 && i === lastWide) {
      const inner = restSize(to, output.slice(1));
      links.tie(inputAxis(0, i), outputAxis(0, j), (k) => Math.floor(k / inner));
    } else if (input.length === 1 && output.length === 2) {
      const inner = restSize(to, output.slice(1));
      links.tie(inputAxis(0, i), outputAxis(0, output[1]!), (k) => k % inner);
    }
  }
}

/** The cotangent `gy` in the shape of `x`. */
export function reshapeLike(g: TypedBuilder, gy: string, x: string): string {
  return g.reshape(gy, g.shape(x));
}
