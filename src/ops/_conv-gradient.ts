/**
 * The gradients of Conv as standard operators: one table that picks the fastest form for a shape in onnxruntime.
 * `X: (N, C, H, W)`, `W: (O, C/G, k, k)`, `dY: (N, O, OH, OW)`, stride s, dilation d, padding p:
 * - `dW[o,c,k] = Σ_{n,j} dY[n,o,j] · X[n,c, j·s + k·d − p]` is a convolution of X by dY with stride and dilation exchanged;
 * - `dX[n,c,i] = Σ_{o,k} W[o,c,k] · dY[n,o,j]` where `j·s + k·d − p = i`, a transposed convolution.
 * The choices are measured by `bench/conv-gradient.mjs`, which prints every form for a list of shapes.
 */
import { int, ints } from "../graph/attributes.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { extentOf, outputPadding, overlapPads, type WindowAxis } from "./_sliding-window.ts";
import { padSpatial, slice, trimEnd } from "./_spatial.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** Groups and spatial axes of the convolution that is differentiated. */
export interface ConvGeometry {
  readonly axes: readonly WindowAxis[];
  readonly group: number;
}

type WeightGradient = (g: TypedBuilder, x: string, gy: string, weight: Shape, geometry: ConvGeometry) => string;
type DataGradient = (g: TypedBuilder, gy: string, w: string, geometry: ConvGeometry) => string;

/** The gradient with respect to the weight of shape `weight`, in the fastest form. */
export function convWeightGradient(...call: Parameters<WeightGradient>): string {
  const [g, x, gy, , geometry] = call;
  return weightGradients[chooseWeightGradient(g.shape(x), g.shape(gy), geometry)](...call);
}

/** The gradient with respect to the input, in the fastest form. */
export function convDataGradient(...call: Parameters<DataGradient>): string {
  const [, , , geometry] = call;
  return dataGradients[chooseDataGradient(geometry)](...call);
}

function chooseWeightGradient(x: Shape, gy: Shape, { axes, group }: ConvGeometry): keyof typeof weightGradients {
  if (axes.length !== 2 || axes.some((axis) => axis.dilation > 1)) return "transposed";
  if (group === x[1] && group === gy[1]) return "taps";
  return "interleaved";
}

function chooseDataGradient({ axes }: ConvGeometry): keyof typeof dataGradients {
  const flips = axes.every((axis) => axis.stride === 1 && axis.before < extentOf(axis) && axis.after < extentOf(axis));
  return flips ? "flipped" : "transposed";
}

/** The forms of the weight gradient; all but `transposed` want two spatial axes without dilation. */
export const weightGradients = {
  /** `X: (C/G, G·N, H, W)` by `dY: (O, N, OH, OW)`: the plain form, for every geometry. */
  transposed(g, x, gy, weight, { axes, group }) {
    const [batch, channels] = g.shape(x) as [number, number];
    const [outputs, perGroup] = weight as [number, number];
    const read = trimEnd(g, x, axes);
    const spatial = g.shape(read).slice(2);
    const swap = [1, 0, ...axes.map((_, i) => i + 2)];
    const image =
      group === 1
        ? g.transpose(read, swap)
        : g.reshape(
            g.transpose(g.reshape(read, [batch, group, channels / group, ...spatial]), [
              2,
              1,
              0,
              ...axes.map((_, i) => i + 3),
            ]),
            [perGroup, group * batch, ...spatial],
          );
    const product = g.op("Conv", [image, g.transpose(gy, swap)], {
      group: int(group),
      strides: ints(axes.map((axis) => axis.dilation)),
      dilations: ints(axes.map((axis) => axis.stride)),
      pads: ints(overlapPads(axes)),
    }); // (C/G, O, k, k)
    return g.shape(product)[1] === outputs ? g.transpose(product, swap) : product;
  },

  /**
   * Channels interleaved with the columns: `X: (1, N·G, H, W·C/G)` by `dY: (N·O, 1, OH, OW)` in N·G groups, dilated by
   * `(s, s·C/G)`. Samples are groups, so neither tensor is gathered across samples.
   */
  interleaved(g, x, gy, weight, { axes, group }) {
    const [batch, channels] = g.shape(x) as [number, number];
    const [outputs, perGroup, ...kernel] = weight as [number, number, number, number];
    const read = trimEnd(g, x, axes);
    const [height, width] = g.shape(read).slice(2) as [number, number];
    const grouped = group === 1 ? read : g.reshape(read, [batch, group, channels / group, height, width]);
    const last = perGroup === 1 ? read : g.transpose(grouped, group === 1 ? [0, 2, 3, 1] : [0, 1, 3, 4, 2]);
    const image = g.reshape(last, [1, batch * group, height, width * perGroup]);
    const [tall, wide] = axes as [WindowAxis, WindowAxis];
    const [top, left, bottom, right] = overlapPads(axes) as [number, number, number, number];
    const product = g.op("Conv", [image, g.reshape(gy, [batch * outputs, 1, tall.output, wide.output])], {
      group: int(batch * group),
      dilations: ints([tall.stride, wide.stride * perGroup]),
      pads: ints([top, left * perGroup, bottom, right * perGroup]),
    }); // (1, N·O, k, k·C/G)
    const samples = g.reshape(product, [batch, outputs, ...kernel, perGroup]);
    const summed = batch === 1 ? samples : g.reduceSum(samples, [0], false);
    const [rows, columns] = kernel;
    return perGroup === 1
      ? g.reshape(summed, weight)
      : g.transpose(g.reshape(summed, [outputs, rows, columns, perGroup]), [0, 3, 1, 2]);
  },

  /** Depthwise: for each tap, the shifted image times dY, summed over samples and pixels. */
  taps(g, x, gy, weight, { axes }) {
    const [rows, columns] = axes as [WindowAxis, WindowAxis];
    const padded = padSpatial(g, x, axes);
    const sums: string[] = [];
    for (let r = 0; r < rows.kernel; r++)
      for (let c = 0; c < columns.kernel; c++) {
        const starts = [r * rows.dilation, c * columns.dilation];
        const ends = axes.map((axis, i) => starts[i]! + (axis.output - 1) * axis.stride + 1);
        const shifted = slice(g, padded, starts, ends, [2, 3], [rows.stride, columns.stride]);
        sums.push(g.reduceSum(g.reduceSum(g.mul(shifted, gy), [2, 3], false), [0])); // (1, C)
      }
    const stacked = sums.length === 1 ? sums[0]! : g.op("Concat", sums, { axis: int(0) }); // (k·k, C)
    return g.reshape(g.transpose(stacked, [1, 0]), weight);
  },
} as const satisfies Record<string, WeightGradient>;

/** The forms of the data gradient. */
export const dataGradients = {
  /** ConvTranspose, for every geometry. */
  transposed(g, gy, w, { axes, group }) {
    return g.op("ConvTranspose", [gy, w], {
      group: int(group),
      strides: ints(axes.map((axis) => axis.stride)),
      dilations: ints(axes.map((axis) => axis.dilation)),
      pads: ints(overlapPads(axes)),
      output_padding: ints(outputPadding(axes)),
    });
  },

  /** Stride 1: a Conv by the kernel with its taps reversed and its channel axes exchanged. */
  flipped(g, gy, w, { axes, group }) {
    const [outputs, perGroup, ...kernel] = g.shape(w) as [number, number, ...number[]];
    const spatial = axes.map((_, i) => i + 2);
    const reversed =
      sizeOf(kernel) === 1
        ? w
        : slice(
            g,
            w,
            kernel.map(() => -1),
            kernel.map(() => Number.MIN_SAFE_INTEGER),
            spatial,
            kernel.map(() => -1),
          );
    const swapped =
      group === 1
        ? g.transpose(reversed, [1, 0, ...spatial])
        : perGroup === 1 && outputs === group
          ? reversed
          : g.reshape(
              g.transpose(g.reshape(reversed, [group, outputs / group, perGroup, ...kernel]), [
                0,
                2,
                1,
                ...spatial.map((axis) => axis + 1),
              ]),
              [group * perGroup, outputs / group, ...kernel],
            );
    return g.op("Conv", [gy, swapped], {
      group: int(group),
      dilations: ints(axes.map((axis) => axis.dilation)),
      pads: ints([
        ...axes.map((axis) => extentOf(axis) - 1 - axis.before),
        ...axes.map((axis) => extentOf(axis) - 1 - axis.after),
      ]),
    });
  },
} as const satisfies Record<string, DataGradient>;
