/**
 * The gradients of Conv as standard operators, each in several forms, and one table that picks the form that onnxruntime runs
 * fastest for given shapes. With `X: (N, C, H, W)`, `W: (O, C/G, k, k)`, `dY: (N, O, OH, OW)`, stride s, dilation d, padding p:
 * - `dW[o,c,k] = Σ_{n,j} dY[n,o,j] · X[n,c, j·s + k·d − p]`: a convolution of X by dY with stride and dilation exchanged;
 * - `dX[n,c,i] = Σ_{o,k} W[o,c,k] · dY[n,o,j]` where `j·s + k·d − p = i`: a transposed convolution.
 * `bench/conv-gradient.mjs` prints every form in alternation for a list of shapes.
 */
import { int, ints } from "../graph/attributes.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { extentOf, outputPadding, overhang, overlapPads, tapsOf, type WindowAxis } from "./_sliding-window.ts";
import { padSpatial, slice, trimEnd } from "./_spatial.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** Groups and spatial axes of the convolution that is differentiated. */
export interface ConvGeometry {
  readonly axes: readonly WindowAxis[];
  readonly group: number;
}

/** A convolution's geometry with its channel counts. */
export interface ConvSizes extends ConvGeometry {
  readonly channels: number;
  readonly outputs: number;
}

interface WeightForm {
  /** Whether the form is right for a convolution. */
  readonly fits: (sizes: ConvSizes) => boolean;
  /** dW of shape `weight`. */
  readonly emit: (g: TypedBuilder, x: string, gy: string, weight: Shape, geometry: ConvGeometry) => string;
}

interface DataForm {
  readonly fits: (sizes: ConvSizes) => boolean;
  /** dX. */
  readonly emit: (g: TypedBuilder, gy: string, w: string, geometry: ConvGeometry) => string;
}

const pixels = ({ axes }: ConvGeometry) => sizeOf(axes.map((axis) => axis.output));
const taps = ({ axes }: ConvGeometry) => sizeOf(axes.map((axis) => axis.kernel));
const isPlane = ({ axes }: ConvGeometry) => axes.length === 2 && axes.every((axis) => axis.dilation === 1);
const isDepthwise = ({ group, channels, outputs }: ConvSizes) => group === channels && group === outputs;
const hasStride = ({ axes }: ConvGeometry) => axes.some((axis) => axis.stride > 1);

/** Which form of the weight gradient to take: the first that fits and whose condition holds. */
const weightTable: readonly (readonly [WeightFormName, (sizes: ConvSizes) => boolean])[] = [
  // Few pixels under many outputs: a large product a tap, where a product a sample would mostly write its result (1.5-5x).
  ["products", (sizes) => sizes.outputs >= pixels(sizes) * (taps(sizes) === 1 ? 8 : 4)],
  ["pointwise", () => true], // 1.1-1.8x the interleaved form
  ["taps", (sizes) => !hasStride(sizes)], // 1.5-2.9x; strided slices are slow, there 0.4-0.9x
  ["interleaved", () => true], // 1.2-3.1x the transposed form
  ["transposed", () => true],
];

/** Which form of the data gradient to take. */
const dataTable: readonly (readonly [DataFormName, (sizes: ConvSizes) => boolean])[] = [
  // A machine's blocks of 8 or 16 channels make the flipped form a convolution that runs faster than any product.
  ["flipped", ({ channels, outputs, group }) => group === 1 && channels % 16 === 0 && outputs % 16 === 0],
  // Either form spreads one side over the taps: dY before the product here, dX after it there. The smaller side wins (1.1-2x).
  ["flipped", (sizes) => taps(sizes) === 1 || spreadOfY(sizes) <= spreadOfX(sizes)],
  ["transposed", () => true],
];
const spreadOfY = ({ axes, outputs }: ConvSizes) => outputs * sizeOf(axes.map((axis) => axis.input));
const spreadOfX = ({ axes, channels }: ConvSizes) => channels * sizeOf(axes.map((axis) => axis.output));

/** The form that the table picks for the weight gradient. */
export function chooseWeightForm(sizes: ConvSizes): WeightFormName {
  return weightTable.find(([name, wins]) => weightForms[name].fits(sizes) && wins(sizes))![0];
}

/** The form that the table picks for the data gradient. */
export function chooseDataForm(sizes: ConvSizes): DataFormName {
  return dataTable.find(([name, wins]) => dataForms[name].fits(sizes) && wins(sizes))![0];
}

/** Emits dW of shape `weight` from `x` and dY. */
export function convWeightGradient(...call: Parameters<WeightForm["emit"]>): string {
  const [g, x, gy, , geometry] = call;
  const sizes = { ...geometry, channels: g.shape(x)[1]!, outputs: g.shape(gy)[1]! };
  return weightForms[chooseWeightForm(sizes)].emit(...call);
}

/** Emits dX from dY and the weight. */
export function convDataGradient(...call: Parameters<DataForm["emit"]>): string {
  const [g, gy, w, geometry] = call;
  const sizes = { ...geometry, channels: g.shape(w)[1]! * geometry.group, outputs: g.shape(gy)[1]! };
  return dataForms[chooseDataForm(sizes)].emit(...call);
}

/** The forms of the weight gradient. */
export const weightForms = {
  /** `X: (C/G, G·N, H, W)` by `dY: (O, N, OH, OW)`: the plain form, for every geometry. */
  transposed: {
    fits: () => true,
    emit(g, x, gy, [, perGroup], { axes, group }) {
      const [batch] = g.shape(x) as [number];
      const read = trimEnd(g, x, axes);
      const spatial = g.shape(read).slice(2);
      const split = g.reshape(read, [batch, group, perGroup!, ...spatial]);
      const gathered = g.transpose(split, [2, 1, 0, ...axes.map((_, i) => i + 3)]);
      const swap = [1, 0, ...axes.map((_, i) => i + 2)];
      const product = g.op(
        "Conv",
        [g.reshape(gathered, [perGroup!, group * batch, ...spatial]), g.transpose(gy, swap)],
        {
          group: int(group),
          strides: ints(axes.map((axis) => axis.dilation)),
          dilations: ints(axes.map((axis) => axis.stride)),
          pads: ints(overlapPads(axes)),
        },
      ); // (C/G, O, k, k)
      return g.transpose(product, swap);
    },
  },

  /**
   * Channels interleaved with the columns: `X: (1, N·G, H, W·C/G)` by `dY: (N·O, 1, OH, OW)` in N·G groups, dilated by
   * `(s, s·C/G)`. Samples are groups, so neither tensor is gathered across samples.
   */
  interleaved: {
    fits: isPlane,
    emit(g, x, gy, weight, { axes, group }) {
      const [outputs, perGroup, rows, columns] = weight as [number, number, number, number];
      const [batch] = g.shape(x) as [number];
      const read = trimEnd(g, x, axes);
      const [height, width] = g.shape(read).slice(2) as [number, number];
      const split = group === 1 ? read : g.reshape(read, [batch * group, perGroup, height, width]);
      const last = perGroup === 1 ? split : g.transpose(split, [0, 2, 3, 1]);
      const [tall, wide] = axes as [WindowAxis, WindowAxis];
      const [top, left, bottom, right] = overlapPads(axes) as [number, number, number, number];
      const image = g.reshape(last, [1, batch * group, height, width * perGroup]);
      const product = g.op("Conv", [image, g.reshape(gy, [batch * outputs, 1, tall.output, wide.output])], {
        group: int(batch * group),
        dilations: ints([tall.stride, wide.stride * perGroup]),
        pads: ints([top, left * perGroup, bottom, right * perGroup]),
      }); // (1, N·O, k, k·C/G)
      const summed = g.reduceSum(g.reshape(product, [batch, outputs, rows, columns, perGroup]), [0], false);
      return perGroup === 1 ? g.reshape(summed, weight) : g.transpose(summed, [0, 3, 1, 2]);
    },
  },

  /** 1x1: `Σ_n dY_n · X_nᵀ` over the pixels that are read. */
  pointwise: {
    fits: ({ axes, group }) =>
      group === 1 && axes.every((axis) => axis.kernel === 1 && axis.before === 0 && overhang(axis) <= 0),
    emit(g, x, gy, weight, { axes }) {
      const [batch, outputs, ...windows] = g.shape(gy) as [number, number, ...number[]];
      const read = hasStride({ axes, group: 1 }) ? readBy(g, x, axes, new Array(axes.length).fill(0), 2) : x;
      const rows = g.reshape(read, [batch, weight[1]!, sizeOf(windows)]);
      const columns = g.reshape(gy, [batch, outputs, sizeOf(windows)]);
      const products = g.op("MatMul", [columns, g.transpose(rows, [0, 2, 1])]); // (N, O, C)
      return g.reshape(g.reduceSum(products, [0], false), weight);
    },
  },

  /** For each tap, what the windows read there as a matrix `(N·OH·OW, C)`, by `dY: (N·OH·OW, O)`. */
  products: {
    fits: ({ group }) => group === 1,
    emit(g, x, gy, weight, { axes }) {
      const [outputs, channels, ...kernel] = weight as [number, number, ...number[]];
      const spatial = axes.map((_, i) => i + 2);
      const last = g.transpose(padSpatial(g, x, axes), [0, ...spatial, 1]); // (N, H, W, C)
      const rows = g.shape(gy)[0]! * sizeOf(g.shape(gy).slice(2));
      const columns = g.reshape(g.transpose(gy, [0, ...spatial, 1]), [rows, outputs]);
      const products = tapsOf(kernel).map((tap) => {
        const read = g.reshape(readBy(g, last, axes, tap, 1), [rows, channels]);
        return g.reshape(g.op("Gemm", [columns, read], { transA: int(1) }), [outputs, channels, 1]);
      });
      const joined = products.length === 1 ? products[0]! : g.op("Concat", products, { axis: int(2) });
      return g.reshape(joined, weight);
    },
  },

  /** Depthwise: for each tap, the shifted image times dY, summed over samples and pixels. */
  taps: {
    fits: isDepthwise,
    emit(g, x, gy, weight, { axes }) {
      const padded = padSpatial(g, x, axes);
      const spatial = axes.map((_, i) => i + 2);
      const sums = tapsOf(weight.slice(2)).map((tap) =>
        g.reduceSum(g.reduceSum(g.mul(readBy(g, padded, axes, tap, 2), gy), spatial, false), [0]),
      ); // (1, C) each
      const stacked = sums.length === 1 ? sums[0]! : g.op("Concat", sums, { axis: int(0) });
      return g.reshape(g.transpose(stacked, [1, 0]), weight);
    },
  },
} as const satisfies Record<string, WeightForm>;

/** The forms of the data gradient. */
export const dataForms = {
  /** ConvTranspose, for every geometry. */
  transposed: {
    fits: () => true,
    emit: (g, gy, w, { axes, group }) =>
      g.op("ConvTranspose", [gy, w], {
        group: int(group),
        strides: ints(axes.map((axis) => axis.stride)),
        dilations: ints(axes.map((axis) => axis.dilation)),
        pads: ints(overlapPads(axes)),
        output_padding: ints(outputPadding(axes)),
      }),
  },

  /** Stride 1: a Conv by the kernel with its taps reversed and its channel axes exchanged. */
  flipped: {
    fits: ({ axes }) =>
      axes.every((axis) => axis.stride === 1 && axis.before < extentOf(axis) && axis.after < extentOf(axis)),
    emit(g, gy, w, { axes, group }) {
      const [outputs, perGroup, ...kernel] = g.shape(w) as [number, number, ...number[]];
      const reversed = g.reshape(reverseTaps(g, w), [group, outputs / group, perGroup, ...kernel]);
      const exchanged = g.transpose(reversed, [0, 2, 1, ...axes.map((_, i) => i + 3)]);
      return g.op("Conv", [gy, g.reshape(exchanged, [group * perGroup, outputs / group, ...kernel])], {
        group: int(group),
        dilations: ints(axes.map((axis) => axis.dilation)),
        pads: ints([
          ...axes.map((axis) => extentOf(axis) - 1 - axis.before),
          ...axes.map((axis) => extentOf(axis) - 1 - axis.after),
        ]),
      });
    },
  },
} as const satisfies Record<string, DataForm>;

type WeightFormName = keyof typeof weightForms;
type DataFormName = keyof typeof dataForms;

/** What each window reads at one tap of the padded `x`, whose spatial axes begin at `first`. */
function readBy(
  g: TypedBuilder,
  x: string,
  axes: readonly WindowAxis[],
  tap: readonly number[],
  first: number,
): string {
  const starts = axes.map((axis, i) => tap[i]! * axis.dilation);
  const ends = axes.map((axis, i) => starts[i]! + (axis.output - 1) * axis.stride + 1);
  const whole = axes.every((axis, i) => starts[i] === 0 && axis.stride === 1 && ends[i] === g.shape(x)[i + first]);
  if (whole) return x;
  const at = axes.map((_, i) => i + first);
  return slice(
    g,
    x,
    starts,
    ends,
    at,
    axes.map((axis) => axis.stride),
  );
}

function reverseTaps(g: TypedBuilder, w: string): string {
  const spatial = g.shape(w).flatMap((size, axis) => (axis >= 2 && size > 1 ? [axis] : []));
  if (spatial.length === 0) return w;
  const each = (value: number) => spatial.map(() => value);
  return slice(g, w, each(-1), each(Number.MIN_SAFE_INTEGER), spatial, each(-1));
}
